"""`migration-gate fix`: shown first, tried on a copy, written only if told to; then the gate passes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.git_repositories import git
from tests.support.user_project import COMMAND, CREATE, MODELS, Ran, World, project, revision, world

pytestmark = pytest.mark.slow
INI = (
    "[alembic]\nscript_location = %(here)s/migrations\nrecursive_version_locations = true\n"
    "file_template = %%(slug)s/%%(rev)s\n"
)
DRIFTED = MODELS.replace("String(50), nullable=False", "String(60), nullable=False")
OWNED_MODELS = MODELS.replace("Column, Integer", "Column, ForeignKey, Integer").replace(
    "nullable=False)",
    'nullable=False)\n    owner_id = Column(Integer, ForeignKey("users.id", ondelete="CASCADE"), index=True)',
) + ('\n\nclass User(Base):\n    __tablename__ = "users"\n    id = Column(Integer, primary_key=True)\n')
OWNED = revision(
    "three",
    "two",
    'op.create_table("users", sa.Column("id", sa.Integer, primary_key=True)); '
    'op.add_column("item", sa.Column("owner_id", sa.Integer, '
    'sa.ForeignKey("users.id", ondelete="CASCADE"))); '
    'op.create_index("ix_item_owner_id", "item", ["owner_id"])',
    'op.drop_column("item", "owner_id"); op.drop_table("users")',
)


@pytest.fixture
def place() -> Iterator[World]:
    with world() as found:
        yield found


def fix(place: World, *options: str) -> Ran:
    command = [COMMAND, "fix", str(place.project), "--python", sys.executable, *options]
    done = subprocess.run(
        command, env=place.environment(), cwd="/", capture_output=True, text=True, check=False
    )
    place.demand_nothing_left()
    return Ran(done.returncode, done.stdout, done.stderr)


def test_drift_becomes_one_revision_and_the_gate_passes(place: World) -> None:
    place.lay(project(models_py=DRIFTED, **{"alembic.ini": INI}))
    shown = fix(place)
    changed = git(place.project, "status", "--short", "--", "*.py")
    assert (shown.status, changed) == (0, ""), shown.said
    assert "+    op.alter_column('item', 'name'," in shown.out
    assert "Tried on a copy: 1 finding gone." in shown.out
    written = fix(place, "--write")
    assert "Written: `migrations/versions/drift/" in written.out, written.said
    assert place.check().status == 0


def test_a_difference_that_the_revision_removes_is_not_corrected_in_the_model_as_well(place: World) -> None:
    """Beside one of the same column that only people know how to remove."""
    first = revision("one", None, CREATE.replace("sa.String(40)", "sa.Interval()"), 'op.drop_table("item")')
    models = MODELS.replace("String(50), nullable=False", "Integer, nullable=False")
    place.lay(project(one_py=first, two_py=revision("two", "one", "pass"), models_py=models))
    shown = fix(place)
    assert "op.alter_column('item', 'name'," in shown.out
    assert "models.py" not in shown.out, shown.said
    assert "Tried on a copy: 1 finding gone." in shown.out
    assert "By hand: drift/type item.name" in shown.out


def test_an_owner_that_only_people_know_is_left_to_be_filled_in(place: World) -> None:
    place.lay(project(models_py=OWNED_MODELS, **{"migrations/versions/three.py": OWNED}))
    ran = fix(place)
    assert ran.status == 0, ran.said
    assert "UPDATE item SET owner_id = ... WHERE owner_id IS NULL" in ran.out
    assert "It was not tried: fill in the owners" in ran.out
    assert "index=True, nullable=False" in ran.out


def test_where_there_is_nothing_to_correct_that_is_said(place: World) -> None:
    place.lay(project())
    assert fix(place, "--write").out == "Nothing to do: no finding is to be corrected.\n"


def test_a_folder_outside_of_the_repository_is_not_written_to(place: World) -> None:
    place.lay(project(models_py=DRIFTED))
    versions, outside = place.project / "migrations/versions", place.top / "outside"
    versions.rename(outside)
    versions.symlink_to(outside)
    ran = fix(place, "--write")
    assert [file.name for file in sorted(outside.glob("*.py"))] == ["one.py", "two.py"], ran.said
    assert "By hand: drift" in ran.out


@pytest.mark.release
def test_where_heads_are_put_in_one_line_new_revisions_wait(place: World) -> None:
    files = project(models_py=DRIFTED, **{"migrations/versions/three.py": revision("three", "one", "pass")})
    place.lay(files)
    ran = fix(place, "--write")
    assert "run `migration-gate fix` again" in ran.out, ran.said
    assert "would bring" not in ran.out
    assert "_drift.py" in fix(place).out
