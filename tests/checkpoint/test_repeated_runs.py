"""A run in which nothing is new uses the facts of an earlier one, and reports what one from scratch does."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from migration_gate.checkpoint.kept_facts import FILE
from migration_gate.facts import Facts
from migration_gate.postgres.shared_servers import SharedServers
from migration_gate.replay import examination
from tests.checkpoint.test_checkpoint_runs import examine, last_note, list_differences
from tests.support.git_repositories import commit, git
from tests.support.user_project import ENV, MODELS, World, project, revision

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("cache")]

DRIFT = MODELS.replace("String(50)", "String(60)")
VIEWS = "def show():\n    return 1\n"
RAW = 'def make(connection):\n    connection.execute(text("create table loose (id int)"))\n'
UNREGISTERED = (
    "from shop.models import Base\nfrom sqlalchemy import Column, Integer\n\n\n"
    "class Lost(Base):\n    __tablename__ = 'lost'\n    id = Column(Integer, primary_key=True)\n"
)
RUNNING = "import subprocess\nNAME = subprocess.run(['git', 'config', '-l'], capture_output=True).stdout\n"
SEARCHING = "import sys\nsys.path.append('libraries')\nfrom common import WIDTH\n" + MODELS.replace(
    "String(50)", "String(WIDTH)"
)
OPTIONAL = "try:\n    from local_width import WIDTH\nexcept ImportError:\n    WIDTH = 50\n"
LOADED = (
    "from importlib.util import module_from_spec, spec_from_file_location\n"
    "spec = spec_from_file_location('width', 'libraries/width.py')\nwidth = module_from_spec(spec)\n"
    "spec.loader.exec_module(width)\n" + MODELS.replace("String(50)", "String(width.WIDTH)")
)
AFTERWARDS = ENV + "\nPERMISSIONS = open('permissions.py').read()\n"
REPEATED = "nothing ran: what 2 revisions and the models depend on is as it was in an earlier run"


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Of the runs of this test."""
    lent: list[object] = []
    lend_server = SharedServers.lend_server

    def note_server(self: SharedServers, *arguments: Any, **named: Any) -> Any:
        lent.append(self)
        return lend_server(self, *arguments, **named)

    monkeypatch.setattr(SharedServers, "lend_server", note_server)
    return lent


def lay(place: World, **files: str) -> Path:
    """A project whose facts are kept: it has a checkpoint, and was run from it."""
    further = {".gitignore": "__pycache__/\n", "shop/views.py": VIEWS, "permissions.py": "A = 1\n"}
    return place.lay({**project(**files), **further})


def keep(folder: Path, **options: Any) -> Facts:
    examine(folder, "auto", **options)
    return examine(folder, "auto", **options)


def test_the_facts_of_an_earlier_run_serve_again(place: World, servers: list[object]) -> None:
    folder = lay(place, models_py=DRIFT)
    base = git(folder, "rev-parse", "HEAD")
    commit(folder, {"shop/views.py": VIEWS + "\n"})
    first = keep(folder, base=base)
    assert last_note(first).startswith("the replay began from a checkpoint")
    before = len(servers)
    again = examine(folder, "auto", base=base)
    assert last_note(again).startswith(REPEATED)
    assert list_differences(again, first) == []
    assert again.replay.differences  # the drift, which is old
    commit(folder, {"shop/views.py": RAW, "README.md": "new\n"})
    changed = examine(folder, "auto", base=base)
    assert last_note(changed).startswith(REPEATED)
    assert len(servers) == before  # nothing was started
    scratch = examine(folder, "scratch", base=base)
    assert [change.tables for change in changed.tree.schema_changes] == [("loose",)]
    assert list_differences(changed, scratch) == []


def test_without_a_base_they_serve_too(place: World, servers: list[object]) -> None:
    folder = lay(place)
    first = keep(folder, examines_base=False)
    again = examine(folder, "auto", examines_base=False)
    assert len(servers) == 2
    assert list_differences(again, first) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"shop/models.py": DRIFT},
        pytest.param(
            {"migrations/versions/three.py": revision("three", "two", 'op.execute("create schema a")')},
            marks=pytest.mark.release,
        ),
        pytest.param({"shop/more.py": UNREGISTERED}, marks=pytest.mark.release),
    ],
    ids=["models", "a revision", "a file"],
)
def test_what_they_depend_on_is_examined_anew(
    place: World, servers: list[object], changed: dict[str, str]
) -> None:
    folder = lay(place)
    keep(folder, base="HEAD")
    commit(folder, changed)
    anew = examine(folder, "auto", base="HEAD~")
    assert len(servers) == 3
    assert list_differences(anew, examine(folder, "scratch", base="HEAD~")) == []


def test_models_in_a_file_that_nothing_imports_decide_what_is_a_difference(
    place: World, servers: list[object]
) -> None:
    create = 'op.create_table("lost", sa.Column("id", sa.Integer, primary_key=True))'
    folder = lay(
        place,
        two_py=revision(
            "two",
            "one",
            f"{create}\nop.alter_column('item', 'name', "
            "type_=sa.String(50), existing_type=sa.String(40), nullable=False)",
        ),
    )
    keep(folder, base="HEAD")
    (folder / "shop/views.py").write_text(UNREGISTERED)
    anew = examine(folder, "auto", base="HEAD")
    assert len(servers) == 3
    scratch = examine(folder, "scratch", base="HEAD")
    assert anew.replay.differences == scratch.replay.differences == ()
    assert list_differences(anew, scratch) == []


@pytest.mark.parametrize(
    "files",
    [{"models_py": RUNNING + MODELS}, {"env_py": AFTERWARDS}],
    ids=["programs", "after the revisions"],
)
def test_what_one_of_the_interpreters_does_unseen_or_alone_counts(
    place: World, servers: list[object], files: dict[str, str]
) -> None:
    folder = lay(place, **files)
    keep(folder, base="HEAD")
    (folder / "permissions.py").write_text("A = 2\n")
    assert last_note(examine(folder, "auto", base="HEAD")).startswith("the replay began from")
    assert len(servers) == 3


def test_a_module_counts_that_was_looked_for_in_vain(place: World, servers: list[object]) -> None:
    folder = lay(place, models_py=SEARCHING, **{"libraries/common/__init__.py": OPTIONAL})
    (folder / ".git/info/exclude").write_text("local_width.py\n")
    keep(folder, base="HEAD")
    (folder / "libraries/local_width.py").write_text("WIDTH = 60\n")
    anew = examine(folder, "auto", base="HEAD")
    assert len(servers) == 3
    assert anew.replay.differences
    assert list_differences(anew, examine(folder, "scratch", base="HEAD")) == []


def test_a_module_counts_that_no_import_loads(place: World, servers: list[object]) -> None:
    folder = lay(place, models_py=LOADED, **{"libraries/width.py": "WIDTH = 50\n"})
    keep(folder, examines_base=False)
    (folder / "libraries/width.py").write_text("WIDTH = 60\n")
    anew = examine(folder, "auto", examines_base=False)
    assert len(servers) == 3
    assert anew.replay.differences


def test_a_project_without_models_is_repeated(place: World, servers: list[object]) -> None:
    env = ENV.replace("from shop.models import Base\n", "").replace("Base.metadata", "None")
    folder = lay(place, env_py=env)
    keep(folder, base="HEAD")
    assert last_note(examine(folder, "auto", base="HEAD")).startswith(REPEATED)
    assert len(servers) == 2


def test_models_may_depend_on_the_day(
    place: World, servers: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = lay(place)
    keep(folder, base="HEAD")

    class Tomorrow(date):
        @classmethod
        def fromtimestamp(cls, timestamp: float, /) -> date:  # type: ignore[override]
            return date.fromtimestamp(timestamp) + timedelta(days=1)

    monkeypatch.setattr(examination, "date", Tomorrow)
    examine(folder, "auto", base="HEAD")
    assert len(servers) == 3
    examine(folder, "auto", base="HEAD")
    assert len(servers) == 3


def test_what_a_hook_is_told_of_a_push_may_differ(
    place: World, servers: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = lay(place)
    keep(folder, base="HEAD")
    monkeypatch.setenv("PRE_COMMIT_TO_REF", "1234")
    assert last_note(examine(folder, "auto", base="HEAD")).startswith(REPEATED)


@pytest.mark.release
def test_other_settings_and_other_variables_have_other_facts(
    place: World, servers: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = lay(place)
    keep(folder, base="HEAD")
    examine(folder, "auto", base="HEAD", observe="off")
    examine(folder, "scratch", base="HEAD")
    examine(folder, "off", base="HEAD")
    monkeypatch.setenv("MODE", "other")
    examine(folder, "auto", base="HEAD")
    assert len(servers) == 6


def test_damaged_facts_are_replaced(place: World, cache: Path, servers: list[object]) -> None:
    before = set(cache.glob(f"*/*/{FILE}"))
    folder = lay(place)
    first = keep(folder, base="HEAD")
    (kept,) = set(cache.glob(f"*/*/{FILE}")) - before
    kept.write_bytes(kept.read_bytes()[:-1])
    assert list_differences(examine(folder, "auto", base="HEAD"), first) == []
    assert len(servers) == 3
    examine(folder, "auto", base="HEAD")
    assert len(servers) == 3


def test_a_failure_is_not_kept(place: World, servers: list[object]) -> None:
    folder = lay(place, two_py=revision("two", "one", 'op.execute("select 1 / 0")'))
    for _ in range(3):
        assert examine(folder, "auto", base="HEAD").replay.failure is not None
    assert len(servers) == 3
