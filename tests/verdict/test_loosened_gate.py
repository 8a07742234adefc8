"""What counts where the gate itself was loosened: new comments, and the level of that check."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from migration_gate import checks
from migration_gate.check import Severity
from migration_gate.config.settings import Allowance, CheckSeverity, Settings, ValueOrigin
from migration_gate.facts import (
    AllowanceText,
    Base,
    ChangedFile,
    Facts,
    GateFiles,
    GateSetting,
    LineRange,
    Location,
    Replay,
)
from migration_gate.judgement import judge_base
from migration_gate.verdict.judge import judge_findings
from migration_gate.verdict.new_comments import add_new_comments
from migration_gate.verdict.novelty import find_novelties
from migration_gate.verdict.own_level import hold_own_level

COMMENT = "# migration-gate: allow drift -- made by hand\n"
MODEL = f"import x\n{COMMENT}name = 1\n"
FILE = "models.py"


def new_comments(before: str, after: str, file: str = FILE) -> list[str]:
    base = Base("c", "test", facts=Facts(), comment_texts=((FILE, before),))
    facts = add_new_comments(Facts(base=base), {file: after})
    return [f"{entry.location} {entry.check} {entry.reason}" for entry in facts.new_comments]


def test_a_comment_that_the_base_does_not_have_is_new() -> None:
    assert new_comments("name = 1\n", MODEL) == ["models.py:2 drift made by hand"]
    assert new_comments(MODEL, MODEL + COMMENT + "other = 2\n") == ["models.py:4 drift made by hand"]
    assert new_comments(MODEL, COMMENT + MODEL.replace(COMMENT, "")) == ["models.py:1 drift made by hand"]


@pytest.mark.parametrize(
    ("after", "file"),
    [
        (f"import y\n\n{MODEL}", FILE),
        (MODEL.replace("by hand", "otherwise"), FILE),
        (MODEL.replace("name = 1", "name = 2"), FILE),
        (MODEL, "moved.py"),
        ("name = 1\n", FILE),
    ],
)
def test_a_comment_that_moved_with_its_line_or_its_reason_is_not_new(after: str, file: str) -> None:
    assert new_comments(MODEL, after, file) == []


def test_without_the_facts_of_the_base_the_lines_of_the_change_tell() -> None:
    base = Base("c", "test", failure="It did not import.")
    lines = (ChangedFile(FILE, (LineRange(4, 4),)),)
    facts = add_new_comments(Facts(base=base, replay=Replay(changed_lines=lines)), {FILE: MODEL + COMMENT})
    assert [entry.location for entry in facts.new_comments] == [Location(FILE, 4)]


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        (MODEL, "name = 1"),
        (COMMENT + "name = 1\n", ""),
        (f"import x\nname = (  {COMMENT}    1,\n)\n", "name = ("),
        (f"import x\n{COMMENT}", "no code"),
    ],
)
def test_the_code_that_a_comment_covers_is_shown_without_its_sign(text: str, covered: str) -> None:
    facts = add_new_comments(Facts(base=Base("c", "test", facts=Facts())), {FILE: text})
    assert [entry.object for entry in facts.new_comments] == [covered]


@pytest.mark.parametrize(("is_at_base", "novelty"), [(False, "new"), (True, "old")])
def test_an_unused_allowance_of_the_change_is_none_of_the_base(is_at_base: bool, novelty: str) -> None:
    where = Location(".migration-gate.yml", 2)
    entry = AllowanceText("drift", "note.*", "by hand", "", where)
    other = replace(entry, object="item.*")  # in the same list of TOML: it is at the same line
    entries = (other, entry) if is_at_base else (other,)
    base = Base("c", "", Facts(), gate_files=GateFiles(allowances=entries))
    facts = Facts(base=base, gate_files=GateFiles(allowances=(other, entry)))
    allowances = [Allowance("drift", "by hand", name, where=str(where)) for name in ("item.*", "note.*")]
    settings = Settings("x", Path("/"), Path("/"), allowances=tuple(allowances))
    older = judge_base(facts, settings, [])
    verdicts = find_novelties(judge_findings(facts, settings, checks.ALL), facts, older).verdicts
    assert [item.novelty for item in verdicts if item.check == "unused-allow"] == ["old", novelty]
    fixed = find_novelties((), facts, older).fixed
    assert [item.check for item in fixed].count("unused-allow") == len(entries)


@pytest.mark.parametrize(
    ("check", "is_forbidden"), [("drift/column", True), ("drift", False), ("drift/index", False)]
)
def test_an_allowance_that_is_forbidden_is_told_so(check: str, is_forbidden: bool) -> None:
    entry = Allowance(check, "by hand", where=".migration-gate.yml:2")
    settings = Settings("x", Path("/"), Path("/"), allowances=(entry,), forbid_allow=("drift/column",))
    (verdict,) = [
        item for item in judge_findings(Facts(), settings, checks.ALL) if item.check == "unused-allow"
    ]
    assert ("`forbid_allow` names the check" in verdict.finding.message) == is_forbidden


def own_level(base: str | None, change: str | None, origin: str = ".migration-gate.yml:1") -> str:
    severity = {"off": None}
    setting = GateSetting("checks.loosened-gate", (base,), Location("f", 1)) if base else None
    files = GateFiles(settings=(setting,) if setting else ())
    checks = (
        (CheckSeverity("loosened-gate", severity.get(change) if change == "off" else Severity(change)),)
        if change
        else ()
    )
    settings = Settings(
        "x", Path(), Path(), checks=checks, origins=(ValueOrigin("checks.loosened-gate", origin),)
    )
    held = hold_own_level(settings, Facts(base=Base("c", "test", gate_files=files)))
    return str(held.checks[0].severity)


def test_the_level_is_that_of_the_base_where_it_is_stricter() -> None:
    assert own_level(None, None) == "warning"
    assert own_level(None, "off") == "warning"
    assert own_level("error", "warning") == "error"
    assert own_level("error", None) == "error"
    assert own_level("off", "error") == "error"
    assert own_level("off", "off") == "None"
    assert own_level(None, "off", "MIGRATION_GATE_CHECKS__LOOSENED_GATE") == "None"
