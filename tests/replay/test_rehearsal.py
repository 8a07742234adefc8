"""The new revisions run from the base with rows in all tables, and what became of the rows is told."""

from __future__ import annotations

from typing import Any

import pytest

from migration_gate.facts import Rehearsal
from tests.replay.test_rollback import write_project
from tests.support.project_files import revision_text
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow
BASE = (
    'op.execute("CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL, name text)")\n'
    'op.execute("CREATE TABLE notes (id serial PRIMARY KEY, u_id int NOT NULL REFERENCES users, body text)")'
)


def rehearse(engine: Engine, *upgrades: str, **settings: Any) -> Rehearsal:
    """What came of the revisions behind the base, which are the change."""
    texts = [revision_text("0", None, BASE)]
    texts += [revision_text(str(n), str(n - 1), upgrade) for n, upgrade in enumerate(upgrades, start=1)]
    folder = write_project(engine.folder(), *texts)
    changed = tuple(
        str(folder.resolve() / f"migrations/versions/{number:02}.py") for number in range(2, len(texts) + 1)
    )
    return engine.run(folder, changed=changed, rollback="off", **settings).replay.rehearsal


def test_each_revision_is_told_what_it_did_and_a_failure_does_not_end_it(engine: Engine) -> None:
    rehearsal = rehearse(
        engine,
        "op.execute(\"UPDATE notes SET body = 'x'\")",
        'op.execute("ALTER TABLE users ALTER name SET NOT NULL")',
        'op.execute("ALTER TABLE users ADD phone text NOT NULL")',
        'op.execute("DELETE FROM notes")',
        'op.execute("DROP TABLE users CASCADE")',
    )
    assert rehearsal.unproven == ""
    assert rehearsal.tables == 2
    overwritten, unusual, plain, deleted, dropped = rehearsal.revisions
    assert [change.kind for change in overwritten.changes] == ["merged values"]
    assert unusual.failure is not None
    assert (unusual.failure.rows, unusual.failure.tables) == ("unusual", ("users",))
    assert unusual.failure.row.endswith(",)")
    assert plain.failure is not None
    assert (plain.failure.rows, plain.failure.failure.sqlstate) == ("plain", "23502")
    # No rows are left in either table, after that failure.
    assert deleted.changes == dropped.changes == ()


def test_code_that_runs_without_rows_alone_is_told_apart(engine: Engine) -> None:
    code = 'for row in op.get_bind().execute(sa.text("SELECT body FROM notes")).all():\n    row.body.upper()'
    rehearsal = rehearse(engine, code, 'op.execute("DELETE FROM notes")')
    failing, deleting = rehearsal.revisions
    assert failing.failure is not None
    assert (failing.failure.rows, failing.failure.failure.exception_class) == ("unusual", "AttributeError")
    assert [change.kind for change in deleting.changes] == ["lost rows"]


def test_without_a_change_nothing_is_rehearsed(engine: Engine) -> None:
    assert rehearse(engine) == Rehearsal()
    assert rehearse(engine, 'op.execute("DELETE FROM notes")', observe="off") == Rehearsal()
