from __future__ import annotations

from pathlib import Path

import pytest

from migration_gate.project.locate import AlembicEnvironment
from migration_gate.project.version_locations import VersionLocations, read_version_locations


def locations(folder: Path, name: str, text: str) -> VersionLocations:
    (folder / name).write_text(text)
    return read_version_locations(AlembicEnvironment("ini", folder, folder / name))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("alembic.ini", "[alembic]\nversion_locations = a b/c\n"),
        ("alembic.ini", "[alembic]\nversion_locations = %(here)s/a:%(here)s/b/c\n"),
        ("alembic.ini", "[alembic]\nversion_locations =\n    a\n    b/c\nscript_location = x\n"),
        ("pyproject.toml", '[tool.alembic]\nversion_locations = ["a", "b/c"]\n'),
        ("pyproject.toml", '[tool.alembic]\nversion_locations = [\n  "%(here)s/a",\n  "b/c",\n]\n'),
    ],
)
def test_folders_are_read_however_they_are_separated(tmp_path: Path, name: str, text: str) -> None:
    folder = tmp_path / "my project"
    folder.mkdir()
    assert locations(folder, name, text) == VersionLocations((folder / "a", folder / "b/c"))


@pytest.mark.parametrize("value", ["true", "True", "1", '"yes"', "on"])
def test_recursive_locations_are_read(tmp_path: Path, value: str) -> None:
    text = f"[alembic]\nrecursive_version_locations = {value}\n"
    assert locations(tmp_path, "alembic.ini", text) == VersionLocations(is_recursive=True)


def test_a_configuration_without_the_setting_names_no_folder(tmp_path: Path) -> None:
    assert locations(tmp_path, "alembic.ini", "[alembic]\nscript_location = a\n") == VersionLocations()
    assert read_version_locations(AlembicEnvironment("hook", tmp_path)) == VersionLocations()
