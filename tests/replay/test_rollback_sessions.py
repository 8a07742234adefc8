"""A chain of downgrades without a fault shares one run of env.py; what it did there is nobody's fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from migration_gate.replay.runs_channel import RunsChannel
from migration_gate.worker.protocol.order import RunsRequest
from migration_gate.worker.protocol.rollback_lines import RunsFinished
from tests.replay.test_rollback import CREATE, DROP, ENUM, roll_back, write_project
from tests.support.alembic_projects import URL, async_env, env
from tests.support.project_files import revision_text
from tests.support.release_tests import first_in_every_run
from tests.support.replay_engine import Engine

if TYPE_CHECKING:
    import psycopg

pytestmark = pytest.mark.slow
ASYNC_URL = "postgresql+asyncpg://app@db.invalid/app"
BLOCK = "with op.get_context().autocommit_block():\n    op.{0}_index('ix', {1}, postgresql_concurrently=True)"

LOCAL_MODE = """
with context.begin_transaction():
    connection.execute(text("SET LOCAL app.mode = 'strict'"))
    context.run_migrations()
"""
FAILS_IN_MODE = (
    "DO $$ BEGIN IF current_setting('app.mode', true) = 'strict' "
    "THEN RAISE EXCEPTION 'not in this mode'; END IF; END $$"
)


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[RunsRequest]:
    """What the gate requests of the interpreter, in its order."""
    sent: list[RunsRequest] = []
    real_send = RunsChannel.send

    def send(channel: RunsChannel, request: RunsRequest) -> RunsFinished:
        sent.append(request)
        return real_send(channel, request)

    monkeypatch.setattr(RunsChannel, "send", send)
    return sent


@pytest.mark.parametrize(
    ("env_py", "url", "versions"),
    first_in_every_run(
        [
            (env(), URL, "oldest"),
            (env(configure="transaction_per_migration=True"), URL, "newest"),
            (
                env(engine='create_engine("postgresql://app@h/app", isolation_level="AUTOCOMMIT")'),
                URL,
                "newest",
            ),
            (async_env(), ASYNC_URL, "newest"),
        ],
        2,
    ),
    ids=["one transaction", "a transaction each", "autocommit", "asyncpg"],
)
def test_a_chain_without_a_fault_needs_one_run_of_env_py(
    engine: Engine, requests: list[RunsRequest], env_py: str, url: str, versions: str
) -> None:
    folder = write_project(
        engine.folder(),
        revision_text("a", None, CREATE.format("a"), DROP.format("a")),
        revision_text("b", "a", ENUM, f"{DROP.format('c')}\nop.execute('DROP TYPE kind')"),
        revision_text(
            "c", "b", BLOCK.format("create", "'a', ['name']"), BLOCK.format("drop", "table_name='a'")
        ),
        env_py=env_py,
        url=url,
    )
    found = roll_back(engine, folder, versions=versions)
    assert {name: (item.is_complete, item.leftovers) for name, item in found.items()} == dict.fromkeys(
        "abc", (True, ())
    )
    assert [request.keeps_session for request in requests] == [True] * 6 + [False]
    assert requests[-1].runs == ()


def test_what_a_function_did_to_its_session_is_not_the_fault_of_the_next(
    engine: Engine, requests: list[RunsRequest]
) -> None:
    folder = write_project(
        engine.folder(),
        revision_text(
            "a", None, f'op.execute("CREATE SCHEMA other")\n{CREATE.format("a")}', DROP.format("a")
        ),
        revision_text(
            "b",
            "a",
            CREATE.format("b"),
            f'{DROP.format("b")}\nop.execute("SET search_path TO other, public")',
        ),
        revision_text("c", "b", CREATE.format("c"), DROP.format("c")),
    )
    found = roll_back(engine, folder, 2, 3)
    assert {name: (item.is_complete, item.reupgrade_differences) for name, item in found.items()} == {
        "b": (True, ()),
        "c": (True, ()),
    }
    assert [request.keeps_session for request in requests][-3:] == [False, False, False]


def test_a_setting_of_one_transaction_holds_for_every_function(engine: Engine) -> None:
    folder = write_project(
        engine.folder(),
        revision_text("a", None, CREATE.format("a"), DROP.format("a")),
        revision_text("b", "a", CREATE.format("b"), f"op.execute({FAILS_IN_MODE!r})\n{DROP.format('b')}"),
        revision_text("c", "b", CREATE.format("c"), DROP.format("c")),
        env_py=env(run=LOCAL_MODE),
    )
    found = roll_back(engine, folder, 2, 3)
    assert found["c"].is_complete
    failure = found["b"].failure
    assert failure is not None
    assert failure.message == "not in this mode"


def test_a_fault_is_judged_in_processes_of_its_own_and_those_above_stay_proven(
    engine: Engine, requests: list[RunsRequest]
) -> None:
    folder = write_project(
        engine.folder(),
        revision_text("a", None, CREATE.format("a"), DROP.format("a")),
        revision_text("b", "a", ENUM, DROP.format("c")),
        revision_text("d", "b", CREATE.format("d"), DROP.format("d")),
    )
    found = roll_back(engine, folder, 2, 3)
    assert found["d"].is_complete
    assert [item.object for item in found["b"].leftovers] == ["kind"]
    failure = found["b"].reupgrade_failure
    assert failure is not None
    assert failure.sqlstate == "42710"
    alone = [request for request in requests if not request.keeps_session]
    assert [[run.revision for run in request.runs] for request in alone if request.runs] == [
        ["d"],
        ["b"],
        ["b"],
    ]


def test_an_error_of_a_library_is_no_declaration(engine: Engine) -> None:
    folder = write_project(
        engine.folder(),
        revision_text("a", None, CREATE.format("a"), DROP.format("a")),
        revision_text("b", "a", CREATE.format("b"), LIBRARY_CALL),
        revision_text("c", "b", CREATE.format("c"), "refuse()", imports=REFUSE),
    )
    found = roll_back(engine, folder, 2, 3)
    assert found["c"].refusal == "NotImplementedError: see the handbook"
    assert found["b"].refusal == ""
    assert found["b"].failure is not None


REFUSE = 'def refuse():\n    raise NotImplementedError("see the handbook")'
LIBRARY_CALL = (
    "from sqlalchemy.engine.default import DefaultDialect\nDefaultDialect().get_isolation_level(None)"
)
"""raises NotImplementedError"""


def test_a_fault_does_not_end_the_sessions_of_who_compares_the_models(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions: list[psycopg.Connection[Any]] = []
    real_send = RunsChannel.send

    def send(channel: RunsChannel, request: RunsRequest) -> RunsFinished:
        if not sessions:
            sessions.append(engine.server.connect(request.runs_database.removesuffix("_rollback")))
        return real_send(channel, request)

    monkeypatch.setattr(RunsChannel, "send", send)
    folder = write_project(
        engine.folder(),
        revision_text("a", None, CREATE.format("a"), DROP.format("a")),
        revision_text("b", "a", CREATE.format("b"), "op.execute('DELETE FROM b')"),
    )
    ran = engine.run(
        folder, rollback="all", observe="off", look=lambda _: sessions[0].execute("SELECT 1").close()
    )
    assert next(item.leftovers for item in ran.replay.rollbacks if item.revision == "b")
    sessions[0].close()


LEAVE_LOCK = (
    "sa.left_open = sa.create_engine(op.get_bind().engine.url).connect()\n"
    "if sa.left_open.execute(sa.text('SELECT FROM a')).first() is not None:\n"
    "    sa.left_open.execute(sa.text('LOCK TABLE a'))\n"
    "else:\n"
    "    sa.left_open.close()"
)
"""a connection of the function's own, whose lock outlives it where the table has rows"""


@pytest.mark.release
def test_a_lock_that_a_function_leaves_behind_does_not_end_the_gate(engine: Engine) -> None:
    folder = write_project(
        engine.folder(),
        revision_text("a", None, CREATE.format("a"), DROP.format("a")),
        revision_text(
            "b",
            "a",
            f"op.add_column('a', sa.Column('age', sa.Integer))\n{CREATE.format('b')}",
            "op.drop_column('a', 'age')",
        ),
        revision_text("c", "b", LEAVE_LOCK, LEAVE_LOCK),
        env_py=env(configure="transaction_per_migration=True"),
    )
    changed = ("migrations/versions/02.py", "migrations/versions/03.py")
    ran = engine.run(
        folder,
        changed=tuple(str(folder.resolve() / file) for file in changed),
        new_files=changed,
        statement_seconds=3,
    )
    # Each function has a process of its own then, with which its connection ends.
    assert {item.revision: item.unproven for item in ran.replay.rollbacks} == {"b": "", "c": ""}
    assert next(item.is_complete for item in ran.replay.rollbacks if item.revision == "c")
    assert ran.replay.rehearsal.unproven == ""
    assert [item.revision for item in ran.replay.rehearsal.revisions] == ["b", "c"]
