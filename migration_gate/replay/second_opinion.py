"""What squawk, a linter of SQL, says of the observed statements, if nothing confirms it, or looks at it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sysconfig
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from migration_gate.facts import Observation, ObservedStatement
from migration_gate.lazy_dataclass import dataclass
from migration_gate.wording import count_noun

PROGRAM = "squawk"
SECONDS = 60
LOCK_RULES = frozenset({
    "require-concurrent-index-creation", "require-concurrent-index-deletion", "require-concurrent-reindex",
    "require-concurrent-partition-detach", "constraint-missing-not-valid", "adding-field-with-default",
    "adding-foreign-key-constraint", "adding-not-nullable-field", "adding-serial-primary-key-field",
    "changing-column-type", "disallowed-unique-constraint", "ban-alter-domain-with-add-constraint",
    "prefer-repack",
})  # fmt: skip
"""rules whose claim, that a lock is held for long, an observation can confirm"""
OTHER_RULES = frozenset({
    "prefer-bigint-over-int", "prefer-bigint-over-smallint", "prefer-identity", "prefer-timestamp-tz",
    "ban-char-field", "identifier-too-long", "ban-duplicate-column-assignments",
})  # fmt: skip
"""rules of which no check here says anything"""
SHOWN_SQL = 80
NOT_FOUND = (
    "`squawk: true` is set, and there is no program `squawk` on the PATH: install it with "
    "`pip install squawk-cli`"
)


@dataclass(frozen=True, slots=True)
class Objection:
    """A rule that a statement breaks."""

    rule: str
    statement: ObservedStatement


def describe_second_opinion(observation: Observation, folder: Path, version: int) -> Iterator[str]:
    """A note for each thing that the observation does not confirm. `version`: of the server."""
    program = find_program()
    if not observation.statements:
        return
    if program is None:
        yield NOT_FOUND
        return
    try:
        objections = list(_ask(program, observation.statements, folder, version))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        yield f"squawk failed: {error}"
        return
    others: dict[str, dict[int, ObservedStatement]] = defaultdict(dict)
    for objection in dict.fromkeys(objections):
        if objection.rule in LOCK_RULES and not objection.statement.works:
            shown = _describe(objection.statement)
            yield f"squawk `{objection.rule}` was not confirmed: {shown} rewrote, read and built nothing"
        elif objection.rule in OTHER_RULES:
            others[objection.rule].setdefault(objection.statement.number, objection.statement)
    for rule, (first, *more) in ((rule, list(found.values())) for rule, found in sorted(others.items())):
        rest = f" and {count_noun(len(more), 'other statement')}" if more else ""
        yield f"squawk `{rule}`, which no check here looks at: {_describe(first)}{rest}"


def find_program() -> Path | None:
    """On the PATH, or beside the gate's own interpreter."""
    found = shutil.which(PROGRAM) or shutil.which(PROGRAM, path=sysconfig.get_path("scripts"))
    return Path(found) if found else None


def _describe(statement: ObservedStatement) -> str:
    sql = " ".join(statement.sql.split())
    text = sql if len(sql) <= SHOWN_SQL else f"{sql[:SHOWN_SQL]} …"
    return f"`{text}` ({statement.location or statement.revision})"


def _ask(
    program: Path, statements: Sequence[ObservedStatement], folder: Path, version: int
) -> Iterator[Objection]:
    """What it has against the statements, a file for each transaction."""
    in_block = [item for item in statements if item.is_in_block]
    alone = [item for item in statements if not item.is_in_block]
    for chosen, options in ((in_block, ["--assume-in-transaction"]), (alone, [])):
        files = {
            str(folder / f"squawk-{number}-{len(options)}.sql"): list(items)
            for number, items in groupby(chosen, key=lambda item: item.transaction)
        }
        if files:
            starts = {name: _write(Path(name), items) for name, items in files.items()}
            command = [str(program), "--reporter", "json", "--pg-version", str(version // 10000), *options]
            for finding in _run([*command, *files], folder):
                yield Objection(
                    str(finding["rule_name"]),
                    _find_statement(starts[str(finding["file"])], int(finding["line"])),
                )


def _write(file: Path, statements: Sequence[ObservedStatement]) -> list[tuple[int, ObservedStatement]]:
    """Write the statements; the line, from 0, on which each begins."""
    starts, line, texts = [], 0, []
    for statement in statements:
        text = f"{statement.sql.rstrip().rstrip(';')};\n"
        starts.append((line, statement))
        line += text.count("\n")
        texts.append(text)
    file.write_text("".join(texts), encoding="utf-8")
    return starts


def _find_statement(starts: Sequence[tuple[int, ObservedStatement]], line: int) -> ObservedStatement:
    return [statement for start, statement in starts if start <= line][-1]


def _run(command: Sequence[str], folder: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        cwd=folder,
    )
    # It ends with 1 for findings, and for a configuration that it cannot read: then without output.
    if done.returncode not in (0, 1) or (done.returncode and not done.stdout.strip()):
        raise ValueError(done.stderr.strip()[-200:] or f"status {done.returncode}")
    findings: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    return findings
