"""Which files of a repository decide what old revisions do."""

from __future__ import annotations

from pathlib import Path

import pytest

from migration_gate.checkpoint.dependencies import Dependency, find_dependencies, list_changed_dependencies
from tests.support.git_repositories import commit, git, started

REVISION = "down_revision = None\nfrom app.kinds import KIND\nfrom alembic import op\n"
READER = REVISION + 'SQL = (Path(__file__).parent / "seed.sql").read_text()\n'
ENV = "from app.models import Base\nfrom app.config import URL\ncontext.run_migrations()\n"
MODELS = "from app.more import Base\nclass Item(Base):\n    __tablename__ = 'item'\n"
FILES = {
    "migrations/env.py": ENV,
    "migrations/versions/one.py": REVISION,
    "migrations/seed.sql": "select 1",
    "app/__init__.py": "",
    "app/kinds.py": "KIND = 1\n",
    "app/config.py": "URL = make_url()\n",
    "app/models.py": MODELS,
    "app/more.py": "Base = declarative_base()\n",
    "app/web.py": "import flask\n",
}
OLD = ["migrations/versions/one.py"]


@pytest.fixture
def top(tmp_path: Path) -> Path:
    return started(tmp_path / "repository", FILES)


def depend(top: Path) -> tuple[Dependency, ...]:
    found = find_dependencies(top, OLD, ["migrations/env.py"], follows_all=False)
    assert found is not None
    return found


def test_revisions_with_what_they_import_and_env_py_with_its_settings_are_essential(top: Path) -> None:
    by_path = {item.path: item.is_essential for item in depend(top)}
    assert by_path["migrations/versions/one.py"]
    assert by_path["migrations/env.py"]
    assert by_path["app/kinds.py"]
    assert by_path["app/config.py"]
    assert not by_path["app/models.py"]
    assert not by_path["app/more.py"]
    assert "app/web.py" not in by_path


@pytest.mark.parametrize(
    ("files", "changed"),
    [
        ({}, []),
        ({"app/web.py": "x = 1\n", "migrations/versions/two.py": REVISION}, []),
        ({"app/models.py": MODELS + "    name = Column(Integer)\n"}, []),
        ({"app/models.py": "from app.third import Base\n" + MODELS, "app/third.py": "Base = 1\n"}, []),
        ({"migrations/versions/one.py": REVISION + "# more\n"}, ["migrations/versions/one.py"]),
        ({"migrations/versions/one.py": None}, ["migrations/versions/one.py"]),
        ({"app/kinds.py": "KIND = 2\n"}, ["app/kinds.py"]),
        ({"app/config.py": "URL = 2\n"}, ["app/config.py"]),
        ({"migrations/env.py": ENV + "\n"}, ["migrations/env.py"]),
        ({"app/more.py": "Base = declarative_base(naming_convention={})\n"}, ["app/more.py"]),
        (
            {
                "app/models.py": "from app.third import Base\n" + MODELS,
                "app/third.py": "naming_convention = {}\n",
            },
            ["app/third.py"],
        ),
    ],
)
def test_a_change_of_models_alone_leaves_old_revisions_as_they_were(
    top: Path, files: dict[str, str | None], changed: list[str]
) -> None:
    dependencies = depend(top)
    commit(top, {"noted.txt": "x", **files})
    assert list_changed_dependencies(top, dependencies) == changed


def test_what_has_the_names_of_constraints_counts(top: Path) -> None:
    (top / "app/more.py").write_text(
        "from app.names import N\nfrom app.web import f\nBase = declarative_base(naming_convention=N)\n"
    )
    (top / "app/names.py").write_text("N = {}\n")
    essential = {item.path for item in depend(top) if item.is_essential}
    assert {"app/more.py", "app/names.py"} < essential
    assert "app/models.py" not in essential


def test_a_data_file_that_a_revision_reads_counts(top: Path) -> None:
    commit(top, {OLD[0]: READER})
    dependencies = depend(top)
    (top / "migrations/seed.sql").write_text("select 2")
    assert list_changed_dependencies(top, dependencies) == ["migrations/seed.sql"]


def test_a_revision_that_reads_what_is_not_in_the_repository_has_no_known_dependencies(top: Path) -> None:
    commit(top, {OLD[0]: READER.replace("seed.sql", "absent.sql")})
    assert find_dependencies(top, OLD, ["migrations/env.py"], follows_all=False) is None


def test_a_module_that_git_does_not_track_yet_counts(top: Path) -> None:
    (top / "app/late.py").write_text("KIND = 1\n")
    (top / OLD[0]).write_text(REVISION.replace("app.kinds", "app.late"))
    assert git(top, "ls-files", "app/late.py") == ""
    dependencies = depend(top)
    (top / "app/late.py").write_text("KIND = 2\n")
    assert list_changed_dependencies(top, dependencies) == ["app/late.py"]
