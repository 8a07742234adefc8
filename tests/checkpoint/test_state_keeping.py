"""Where a COMMIT between two revisions would change what follows, no state is kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from migration_gate.checkpoint.checkpoint_run import CheckpointRun
from migration_gate.checkpoint.dependencies import list_changed_dependencies
from migration_gate.checkpoint.policy import CheckpointUse
from migration_gate.checkpoint.saved_state import read_state
from migration_gate.checkpoint.store import CheckpointStore
from migration_gate.config.settings import Settings
from migration_gate.project import find_project
from migration_gate.worker.protocol.history_lines import EarlierRevisionsRan
from tests.support.git_repositories import started
from tests.support.project_files import write_files
from tests.support.release_tests import spread_over_every_run
from tests.support.replay_engine import Engine
from tests.support.user_project import ENV, MODELS, project, revision

pytestmark = pytest.mark.slow

TWICE = ENV + "\n    with context.begin_transaction():\n        context.run_migrations()\n"
DEFERRED = (
    "create table node (id int primary key, parent int references node deferrable initially deferred)",
    "insert into node values (1, 1)",
)
HIDDEN = {
    ".gitignore": "shop/late.py\nshop/local.csv\n__pycache__/\n",
    "shop/late.py": "VALUE = 1\n",
    "shop/local.csv": "1\n",
    "shop/kinds.csv": "1\n",
    "shop/seeds/one.csv": "1\n",
    "shop/helper.py": "from shop.second import NAME\nOTHER = NAME.lower()\n",
    "shop/second.py": "NAME = 'a'\n",
    "shop/reading.py": "import os\nfrom pathlib import Path\nHERE = Path(__file__).parent\n"
    "def load():\n    return [(HERE / (name + '.csv')).read_text() for name in ('local', 'kinds')]\n"
    "def list_seeds():\n    return os.listdir(HERE / ('se' + 'eds'))\n",
}
"""what old revisions depend on, where no import and no name of a file tells"""


def keep(
    engine: Engine, tmp_path: Path, *statements: str, **files: str
) -> tuple[EarlierRevisionsRan, list[Path]]:
    """What the worker says of these statements of a revision, and the checkpoints that came of it."""
    upgrade = "\n".join(f"op.execute({statement!r})" for statement in statements) or "pass"
    folder = engine.folder()
    write_files(folder, project(two_py=revision("two", "one", upgrade), **files))
    return keep_state(engine, folder, tmp_path)


def keep_state(engine: Engine, folder: Path, tmp_path: Path) -> tuple[EarlierRevisionsRan, list[Path]]:
    """The same for the project in a folder."""
    settings = Settings("shop", folder, folder, python=Path(sys.executable))
    store = CheckpointStore(tmp_path / "cache" / "checkpoints" / "shop", folder.resolve())
    run = CheckpointRun(CheckpointUse(writes=True), store, "here", find_project(settings))
    ran = engine.run(folder, checkpoint=run)
    assert ran.replay.failure is None
    (line,) = [line for line in ran.lines if isinstance(line, EarlierRevisionsRan)]
    run.finish_copy(ran.lines, folder.resolve(), ())
    return line, list(store.folder.iterdir()) if store.folder.is_dir() else []


@pytest.mark.parametrize(
    ("statements", "obstacle"),
    spread_over_every_run(
        [
            (("create type e as enum ('a')", "alter type e add value 'b'"), "enum type"),
            (("create temporary table t (id int)",), "temporary tables"),
            (("create unlogged table t (id int)",), "unlogged tables"),
            (DEFERRED, "checked at the end of the transaction"),
            (("set lock_timeout = '3s'",), "settings of the session"),
            (("set local lock_timeout = '3s'",), "settings of the session"),
            (("set role pg_monitor",), "another role"),
            (("select pg_advisory_xact_lock(1)",), "advisory locks"),
            (("declare c cursor for select 1",), "cursors"),
            (("prepare p as select 1",), "prepared statements"),
        ],
        2,
    ),
)
def test_nothing_is_kept_where_a_commit_would_change_something(
    engine: Engine, tmp_path: Path, statements: tuple[str, ...], obstacle: str
) -> None:
    if obstacle == "another role":
        statements = (
            "grant all on schema public to pg_monitor",
            "grant all on item, alembic_version to pg_monitor",
            *statements,
        )
    line, kept = keep(engine, tmp_path, *statements)
    assert obstacle in line.obstacle
    assert kept == []


def test_the_state_is_kept_where_nothing_is_in_the_way(engine: Engine, tmp_path: Path) -> None:
    line, kept = keep(
        engine, tmp_path, "create type e as enum ('a', 'b')", "insert into item values (1, 'x')"
    )
    assert (line.obstacle, line.revisions) == ("", ("one", "two"))
    assert len(kept) == 1


def test_revisions_that_build_from_the_models_leave_none(engine: Engine, tmp_path: Path) -> None:
    one = "from shop.models import Base\n" + revision("one", None, "Base.metadata.create_all(op.get_bind())")
    line, _ = keep(engine, tmp_path, one_py=one)
    assert "from the models" in line.obstacle


def test_an_env_py_with_two_contexts_leaves_none(engine: Engine, tmp_path: Path) -> None:
    _, kept = keep(engine, tmp_path, env_py=TWICE)
    assert kept == []


def test_what_the_project_reads_and_imports_counts_wherever_it_is(engine: Engine, tmp_path: Path) -> None:
    folder, sibling = engine.folder(), engine.folder()
    write_files(sibling, {"sibling.py": "VALUE = 2\n"})
    started(folder, project(
        env_py=f"import sys; sys.path.append({str(sibling)!r})\nfrom shop.helper import OTHER\n{ENV}",
        two_py="import sibling\nfrom shop import late\nfrom shop.reading import load, list_seeds\n"
        + revision("two", "one", "op.execute(f'select {sibling.VALUE}, {late.VALUE}')\nload(); list_seeds()"),
        **HIDDEN,
    ))  # fmt: skip
    _, (kept,) = keep_state(engine, folder, tmp_path)
    state = read_state(kept, {os.geteuid()})
    assert state is not None
    assert list_changed_dependencies(folder, state.record.dependencies) == []
    changes = {
        "ignored by git, imported": "shop/late.py",
        "ignored by git, read": "shop/local.csv",
        "behind a helper of env.py's": "shop/second.py",
        "a name that is put together": "shop/kinds.csv",
        "in a folder that is listed": "shop/seeds/two.csv",
        "beside the repository": str(sibling / "sibling.py"),
    }
    for path in changes.values():
        file = folder / path
        before = file.read_bytes() if file.exists() else None
        file.write_text("VALUE = 3\n")
        assert list_changed_dependencies(folder, state.record.dependencies), path
        file.unlink() if before is None else file.write_bytes(before)
    write_files(folder, {"shop/models.py": MODELS + "    extra = Column(Integer)\n", "shop/seeds/new.py": ""})
    assert list_changed_dependencies(folder, state.record.dependencies) == []
