"""Of a table with many indexes the log has each index once, and the facts are the same as of one with few."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from migration_gate.facts import DdlCommand
from migration_gate.replay import ddl_log
from tests.support.alembic_projects import STANDARD, after, env, lay
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow
SETTINGS: dict[str, Any] = {"rollback": "off", "snapshots": "none"}
BODY = """
for i in range({number}):
    op.execute(f"CREATE INDEX x{{i * 7 % {number}}} ON users ((id + {{i}}))")
op.execute("CREATE UNIQUE INDEX unique_one ON users (id) WHERE id > 3")
op.execute("CREATE INDEX IF NOT EXISTS x3 ON users (id)")
op.execute("COMMENT ON INDEX x4 IS 'four'")
op.execute("ALTER INDEX x5 RENAME TO renamed")
op.execute("DROP INDEX renamed")
op.execute("DROP INDEX x6, x7")
op.execute("ALTER TABLE users ADD COLUMN further int")
op.execute("CREATE INDEX last_one ON users (further)")
op.execute("DROP INDEX unique_one")
op.execute("ALTER TABLE users RENAME COLUMN further TO more")
"""


def replay(engine: Engine, monkeypatch: pytest.MonkeyPatch, number: int, many: int) -> tuple[DdlCommand, ...]:
    monkeypatch.setattr(ddl_log, "MANY_INDEXES", many)
    ran = engine.run(lay(engine.folder(), after(STANDARD, BODY.format(number=number)), env()), **SETTINGS)
    assert ran.replay.failure is None, ran.replay.failure
    return tuple(command for command in ran.replay.ddl_commands if command.object is None)


def without_oids(command: DdlCommand) -> DdlCommand:
    return replace(
        command,
        oid=0,
        indexes=tuple(replace(index, oid=0) for index in command.indexes),
        constraints=tuple(replace(constraint, oid=0) for constraint in command.constraints),
    )


def test_the_facts_do_not_depend_on_how_many_there_are(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, added = (replay(engine, monkeypatch, 9, many) for many in (1000, 2))
    assert [without_oids(command) for command in added] == [without_oids(command) for command in whole]
    assert any(len(command.indexes) > 9 for command in whole)


def test_twice_as_many_indexes_are_twice_as_much_to_log(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = ddl_log._read_rows
    sizes: list[int] = []

    def count(*arguments: Any) -> Iterator[Any]:
        rows = list(read(*arguments))
        sizes.append(sum(len(row.state or "") for row in rows if row.tag == "CREATE INDEX"))
        yield from rows

    monkeypatch.setattr(ddl_log, "_read_rows", count)
    for number in (20, 40):
        replay(engine, monkeypatch, number, 5)
    assert sizes[1] <= 2.2 * sizes[0], sizes
