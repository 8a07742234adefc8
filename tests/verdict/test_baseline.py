"""The baseline: what it holds does not block, it only shrinks, and what it holds for nothing is a finding."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from migration_gate.check import Finding, Severity
from migration_gate.config.baseline_file import read_baseline_text
from migration_gate.corrections.baseline_command import _write_file
from migration_gate.errors import Misconfigured
from migration_gate.facts import Facts, Failure, Replay
from migration_gate.verdict.baseline import (
    BaselineEntry,
    compare_with_baseline,
    format_baseline,
    list_entries,
    parse_baseline,
    shrink_entries,
)
from migration_gate.verdict.judge import judge_findings
from migration_gate.verdict.outcome import Verdict
from migration_gate.verdict.stale_baseline import find_faults
from tests.support.example_reports import settings


def verdict(identifier: str, message: str, check: str = "drift", kind: str | None = "type") -> Verdict:
    finding = Finding(identifier, message, kind=kind)
    return Verdict(check, Severity.ERROR, finding, identifier, "p")


FIRST, SECOND = verdict("a" * 10, "`x` differs by 2"), verdict("b" * 10 + "-2", "`y` differs")


def test_a_byte_order_mark_is_no_line_and_line_ends_stay(tmp_path: Path) -> None:
    entries = list(list_entries((SECOND, FIRST)))
    text = format_baseline(entries).replace("\n", "\r\n")
    assert parse_baseline("b", f"\ufeff{text}") == parse_baseline("b", text)
    file = tmp_path / "baseline"
    file.write_bytes(text.encode())
    _write_file(file, entries[:1])
    assert file.read_bytes() == format_baseline(entries[:1]).replace("\n", "\r\n").encode()


def test_a_written_baseline_reads_the_same() -> None:
    entries = list(list_entries((SECOND, FIRST)))
    text = format_baseline(entries)
    assert text.splitlines()[2:] == [
        f"{'a' * 10}  drift/type  `x` differs by 2",
        f"{'b' * 10}-2  drift/type  `y` differs",
    ]
    read = parse_baseline("f", text)
    assert {(entry.id, entry.check, entry.message) for entry in read.entries} == {
        (entry.id, entry.check, entry.message) for entry in entries
    }
    assert read.unreadable_lines == ()


def test_the_order_does_not_depend_on_the_order_of_the_findings() -> None:
    assert format_baseline(list_entries((FIRST, SECOND))) == format_baseline(list_entries((SECOND, FIRST)))


def test_what_the_baseline_holds_is_old_and_the_rest_is_new() -> None:
    baseline = parse_baseline("f", format_baseline(list_entries((FIRST,))))
    worse = replace(FIRST, finding=Finding("x", "`x` differs by 3"))
    known = replace(SECOND, novelty="old")
    compared = compare_with_baseline((FIRST, SECOND), baseline)
    assert [item.novelty for item in compared] == ["old", "new"]
    assert [item.novelty for item in compare_with_baseline((worse, known), baseline)] == ["worse", "old"]


def test_a_baseline_only_shrinks_and_keeps_the_words_of_what_got_worse() -> None:
    entries = list(list_entries((FIRST, SECOND)))
    better = replace(FIRST, finding=Finding("x", "`x` differs by 1", kind="type"))
    worse = replace(FIRST, finding=Finding("x", "`x` differs by 3", kind="type"))
    other = verdict("c" * 10, "`z` differs")
    assert [entry.message for entry in shrink_entries(entries, (better, other))] == ["`x` differs by 1"]
    assert [entry.message for entry in shrink_entries(entries, (worse,))] == ["`x` differs by 2"]


def test_what_ends_the_replay_is_in_no_baseline() -> None:
    assert list(list_entries((verdict("d" * 10, "it failed", check="failing-upgrade"),))) == []


def test_a_message_of_several_lines_or_of_no_valid_text_is_one_line() -> None:
    (entry,) = list_entries((verdict("e" * 10, "a\tb  c \udce9"),))
    assert parse_baseline("f", str(entry)).entries == (replace(entry, line=1),)


def test_lines_without_a_finding_and_lines_that_are_none_are_findings() -> None:
    text = f"# comment\n\n{BaselineEntry('f' * 10, 'drift', 'gone')}\nnonsense\n"
    baseline = parse_baseline("ci/base", text)
    verdicts = judge_findings(Facts(), settings("p"), (), baseline=baseline)
    found = {str(item.finding.location): item for item in verdicts}
    assert [(location, item.check) for location, item in sorted(found.items())] == [
        ("ci/base:3", "stale-baseline"),
        ("ci/base:4", "stale-baseline"),
    ]


def test_after_a_failure_no_line_is_called_gone() -> None:
    baseline = parse_baseline("f", str(BaselineEntry("f" * 10, "drift", "gone")))
    facts = Facts(replay=Replay(failure=Failure(message="no table")))
    assert judge_findings(facts, settings("p"), (), baseline=baseline) == ()


def test_the_text_of_a_line_that_is_no_entry_is_not_shown() -> None:
    """A link in a pull request may lead to any file that the gate can read."""
    (finding,) = find_faults(parse_baseline("base.txt", "TOKEN=secret\n"), None)
    assert "secret" not in repr(finding)


def test_a_pipe_in_the_place_of_the_baseline_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "base.txt")
    with pytest.raises(Misconfigured, match="is no file"):
        read_baseline_text(tmp_path / "base.txt")
