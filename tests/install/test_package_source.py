"""Which file lists the project's packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from migration_gate.install.package_source import find_package_source
from tests.support.install_projects import copy_locked_project, write_project

PROJECT = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["alembic"]\n'


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"uv.lock": "", "poetry.lock": "", "requirements.txt": ""}, "uv.lock"),
        ({"poetry.lock": "", "requirements.txt": "", "pyproject.toml": PROJECT}, "poetry.lock"),
        ({"Pipfile.lock": "{}", "requirements.txt": ""}, "Pipfile.lock"),
        ({"requirements.txt": "", "pyproject.toml": PROJECT}, "requirements.txt"),
        ({"requirements/prod.txt": "", "requirements/dev.txt": ""}, "requirements/prod.txt"),
        ({"requirements-dev.txt": "", "requirements-app.txt": ""}, "requirements-app.txt"),
        ({"requirements-dev.txt": "", "pyproject.toml": PROJECT}, "pyproject.toml"),
        ({"setup.py": "", "pyproject.toml": "[tool.black]\n"}, "setup.py"),
        ({"api/requirements.txt": "", "web/package.json": ""}, "api/requirements.txt"),
    ],
)
def test_the_file_that_lists_the_packages_is_found(
    tmp_path: Path, files: dict[str, str], expected: str
) -> None:
    write_project(tmp_path, files)
    source = find_package_source([tmp_path], tmp_path)
    assert source is not None
    assert str(source.file.relative_to(tmp_path)) == expected


def test_a_lock_file_above_the_project_is_the_projects_own(tmp_path: Path) -> None:
    inner = copy_locked_project(tmp_path / "repo", "uv", "services/api")
    source = find_package_source([inner], tmp_path / "repo")
    assert source is not None
    assert (source.kind, source.folder.name, source.project) == ("uv", "repo", inner)


def test_requirements_above_a_package_are_not_taken(tmp_path: Path) -> None:
    write_project(tmp_path, {"requirements.txt": "sphinx", "api/pyproject.toml": PROJECT})
    source = find_package_source([tmp_path / "api"], tmp_path)
    assert source is not None
    assert source.kind == "project"
