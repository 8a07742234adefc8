"""The baseline: a file with the findings that were there when the gate was installed, one line each.

    4202711261  nullable-owner  `media.owner_id` accepts NULL

It serves where the base of a change cannot be examined. It is reviewed like code: a line goes when its
finding is gone, and none comes by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from migration_gate.lazy_dataclass import dataclass
from migration_gate.verdict.novelty import compare_with_older
from migration_gate.verdict.outcome import Verdict

HEADER = """\
# Findings that were there before: they do not block where the base of a change is not known.
# `migration-gate baseline` removes those that are gone, and adds none; `--renew` writes the file anew.
"""
_LINE = re.compile(r"(?P<id>[0-9a-f]{10}(?:-\d+)?)  (?P<check>[a-z][a-z0-9/-]*)  (?P<message>.+)")


@dataclass(frozen=True, slots=True)
class BaselineEntry:
    """One finding of the baseline."""

    id: str
    check: str
    """`check` or `check/kind`"""
    message: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.id}  {self.check}  {self.message}"


@dataclass(frozen=True, slots=True)
class Baseline:
    """The file, read."""

    path: str
    """relative to the repository"""
    entries: tuple[BaselineEntry, ...] = ()
    unreadable_lines: tuple[int, ...] = ()
    """numbers of lines that are no entry"""


def parse_baseline(path: str, text: str) -> Baseline:
    """What the text of the file holds; empty lines, comments and a byte order mark count for nothing."""
    entries: list[BaselineEntry] = []
    unreadable_lines: list[int] = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.rstrip())
        if match is None:
            unreadable_lines.append(number)
        else:
            entries.append(BaselineEntry(match["id"], match["check"], match["message"], number))
    return Baseline(path, tuple(entries), tuple(unreadable_lines))


def format_baseline(entries: Iterable[BaselineEntry]) -> str:
    """The text of a file with these entries, sorted by check and message: a change of it is easy to read."""
    lines = sorted(entries, key=lambda entry: (entry.check, entry.message, entry.id))
    return HEADER + "".join(f"{entry}\n" for entry in lines)


def list_entries(verdicts: Iterable[Verdict]) -> Iterator[BaselineEntry]:
    """An entry for each finding that is not allowed; one that can only be put right is none."""
    for verdict in verdicts:
        if verdict.allowed is None and verdict.can_be_old:
            yield make_entry(verdict)


def make_entry(verdict: Verdict) -> BaselineEntry:
    """The entry of a finding."""
    kind = verdict.finding.kind
    check = f"{verdict.check}/{kind}" if kind else verdict.check
    message = " ".join(verdict.finding.message.split())
    return BaselineEntry(verdict.id, check, message.encode("utf-8", "backslashreplace").decode())


def shrink_entries(entries: Iterable[BaselineEntry], verdicts: Sequence[Verdict]) -> list[BaselineEntry]:
    """The entries whose findings are still there, in the words that these have now unless they are worse."""
    found = {entry.id: entry for entry in list_entries(verdicts)}
    by_id = {verdict.id: verdict for verdict in verdicts}
    return [
        entry if compare_with_older(by_id[entry.id], entry.message) == "worse" else found[entry.id]
        for entry in entries
        if entry.id in found
    ]


def compare_with_baseline(verdicts: Iterable[Verdict], baseline: Baseline) -> tuple[Verdict, ...]:
    """The verdicts, of which those that the base did not tell get their novelty from the baseline."""
    messages = {entry.id: entry.message for entry in baseline.entries}
    return tuple(
        verdict if verdict.novelty else _compare_with_message(verdict, messages.get(verdict.id))
        for verdict in verdicts
    )


def _compare_with_message(verdict: Verdict, older: str | None) -> Verdict:
    return replace(verdict, novelty="new" if older is None else compare_with_older(verdict, older))
