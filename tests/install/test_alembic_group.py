"""Which group or extra is added where only that has Alembic."""

from __future__ import annotations

from pathlib import Path

import pytest

from migration_gate.install.alembic_group import OptionalPackages, find_group_with
from migration_gate.install.package_source import find_package_source
from tests.support.install_projects import copy_locked_project, write_project


@pytest.mark.parametrize("kind", ["poetry", "poetry-1"])
def test_the_group_that_has_alembic_is_found(tmp_path: Path, kind: str) -> None:
    folder = copy_locked_project(tmp_path / "shop", kind)
    source = find_package_source([folder], folder)
    assert source is not None
    assert find_group_with(source, "alembic") == OptionalPackages("group", "migrations")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"pdm.lock": '[[package]]\nname = "alembic"\ngroups = ["default", "db"]\n'}, ("group", "db")),
        ({"pdm.lock": "", "pyproject.toml": '[tool.pdm.dev-dependencies]\ndb = ["Flask_Migrate>=4"]\n'},
         ("group", "db")),
        ({"Pipfile.lock": '{"_meta": {}, "default": {}, "develop": {"alembic": {}}}'}, ("group", "dev")),
        ({"requirements.txt": "flask", "requirements-dev.txt": "Alembic==1.13\n"}, ("group", "dev")),
        ({"uv.lock": "", "pyproject.toml": '[project.optional-dependencies]\na = ["x"]\nb = ["alembic"]\n'},
         ("extra", "b")),
        ({"uv.lock": "", "pyproject.toml": '[dependency-groups]\na = ["x", "alembic"]\nb = ["alembic"]\n'},
         ("group", "b")),
        ({"uv.lock": ""}, None),
    ],
)  # fmt: skip
def test_the_group_or_extra_that_has_alembic_is_found_for_each_kind_of_file(
    tmp_path: Path, files: dict[str, str], expected: tuple[str, str] | None
) -> None:
    write_project(tmp_path, files)
    source = find_package_source([tmp_path], tmp_path)
    assert source is not None
    packages = find_group_with(source, "alembic")
    assert (packages and (packages.kind, packages.name)) == expected
