"""What is told of a linter's findings; its program is a small one here, with the same options and output."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from migration_gate.facts import (
    Location,
    Observation,
    ObservedStatement,
    RowWork,
    StoredRelation,
    WorkKind,
)
from migration_gate.replay.second_opinion import NOT_FOUND, describe_second_opinion

LINTER = """#!{python}
import json, sys
options, files = sys.argv[1:], [word for word in sys.argv[1:] if word.endswith(".sql")]
assert options[:4] == ["--reporter", "json", "--pg-version", "17"], options
rules = {{"TYPE": "changing-column-type", "int": "prefer-bigint-over-int", "ALTER": "require-lock-timeout"}}
print(json.dumps([
    {{"file": file, "line": number, "rule_name": rule}}
    for file in files
    for number, line in enumerate(open(file))
    for word, rule in rules.items()
    if word in line
]))
sys.exit(1)
"""
ITEM = StoredRelation("public", "item", "table")


def observe(number: int, sql: str, *works: RowWork, is_in_block: bool = True) -> ObservedStatement:
    location = Location("a.py", number)
    return ObservedStatement(
        number, 1, "a", sql, location=location, transaction=1, works=works, is_in_block=is_in_block
    )


@pytest.fixture
def linter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "squawk"
    program.write_text(LINTER.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return program


@pytest.mark.usefixtures("linter")
def test_what_the_observation_refutes_or_lacks_is_told(tmp_path: Path) -> None:
    """A rewrite confirms the rule about types; of a rule that no check has, the first statement is named."""
    statements = (
        observe(1, "ALTER TABLE item\n  ALTER a TYPE text"),
        observe(2, "ALTER TABLE item ALTER b TYPE int;", RowWork(WorkKind.REWRITE, ITEM)),
        observe(3, "ALTER TABLE item ADD c int", is_in_block=False),
        observe(4, "ALTER TABLE item ADD d text"),
    )
    notes = describe_second_opinion(Observation(statements=statements), tmp_path, 170004)
    assert list(notes) == [
        "squawk `changing-column-type` was not confirmed: `ALTER TABLE item ALTER a TYPE text` (a.py:1) "
        "rewrote, read and built nothing",
        "squawk `prefer-bigint-over-int`, which no check here looks at: `ALTER TABLE item ALTER b TYPE int;` "
        "(a.py:2) and 1 other statement",
    ]


def test_a_linter_that_fails_is_told(linter: Path, tmp_path: Path) -> None:
    observation = Observation(statements=(observe(1, "ALTER TABLE item ADD c int"),))
    for code, words in (
        ("print('no JSON')", "squawk failed: "),
        ("import sys; sys.exit('bad rule')", "bad rule"),
    ):
        linter.write_text(f"#!{sys.executable}\n{code}\n")
        (note,) = describe_second_opinion(observation, tmp_path, 170004)
        assert words in note
    linter.unlink()
    assert list(describe_second_opinion(observation, tmp_path, 170004)) == [NOT_FOUND]
    assert list(describe_second_opinion(Observation(), tmp_path, 170004)) == []
