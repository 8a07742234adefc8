"""What squawk, a linter of SQL, says against the observed statements, if nothing confirms it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from migration_gate.facts import Observation, ObservedStatement
from migration_gate.lazy_dataclass import dataclass

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
    for objection in dict.fromkeys(objections):
        if objection.rule in LOCK_RULES and not objection.statement.works:
            yield _describe(objection)


def find_program() -> Path | None:
    """On the PATH, or beside the gate's own interpreter."""
    found = shutil.which(PROGRAM) or shutil.which(PROGRAM, path=sysconfig.get_path("scripts"))
    return Path(found) if found else None


def _describe(objection: Objection) -> str:
    statement = objection.statement
    sql = " ".join(statement.sql.split())
    text = sql if len(sql) <= SHOWN_SQL else f"{sql[:SHOWN_SQL]} …"
    return (
        f"squawk `{objection.rule}` was not confirmed: `{text}` ({statement.location or statement.revision}) "
        "rewrote, read and built nothing"
    )


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
    if done.returncode not in (0, 1):
        raise ValueError(done.stderr.strip()[-200:])
    findings: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    return findings
