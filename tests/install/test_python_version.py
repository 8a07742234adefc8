"""Which Python the packages are installed for."""

from __future__ import annotations

from pathlib import Path

import pytest

from migration_gate.install import plan_installation
from migration_gate.install.python_version import convert_poetry_range
from tests.support.install_projects import make_settings, write_project

PROJECT = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["alembic"]\n'


@pytest.mark.parametrize(
    ("files", "specifier", "origin"),
    [
        ({".python-version": "3.12.4\n"}, "3.12", "`.python-version`"),
        ({".tool-versions": "nodejs 20\npython 3.11.9\n"}, "3.11", "`.tool-versions`"),
        ({"runtime.txt": "python-3.10.2"}, "3.10", "`runtime.txt`"),
        ({"Dockerfile": "FROM --platform=x docker.io/python:3.12-slim AS a\n"}, "3.12", "`Dockerfile`"),
        ({"Dockerfile": "FROM python:3.9\n", "pyproject.toml": PROJECT + 'requires-python = ">=3.10"\n'},
         ">=3.10", "`requires-python`"),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.11"\nalembic = "*"\n'}, ">=3.11,<4",
         "`requires-python`"),
        ({"setup.py": "setup(python_requires='>=3.8')"}, ">=3.8", "`python_requires`"),
        ({"requirements.txt": ""}, ">=3.9", "no file names one"),
    ],
)  # fmt: skip
def test_the_python_is_the_one_that_the_project_names(
    tmp_path: Path, files: dict[str, str], specifier: str, origin: str
) -> None:
    (tmp_path / "requirements.txt").write_text("")
    python = plan_installation(make_settings(write_project(tmp_path, files), None)).python
    assert (python.specifier, python.origin) == (specifier, origin)


def test_the_setting_names_the_python_before_any_file(tmp_path: Path) -> None:
    write_project(tmp_path, {"requirements.txt": "", ".python-version": "3.12"})
    plan = plan_installation(make_settings(tmp_path, None, python_version="3.13"))
    assert plan.python.specifier == "3.13"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("^3.10", ">=3.10,<4"), ("^3.10.2", ">=3.10.2,<4"), ("~3.9", ">=3.9,<3.10"), ("~3", ">=3,<4"),
        ("*", ""), (">=3.8,<4.0", ">=3.8,<4.0"), (">= 3.8 <4.0", ">=3.8,<4.0"), ("3.11.*", "==3.11.*"),
        ("3.11.2", "==3.11.2"), ("~=3.9", "~=3.9"), ("^2.7 || ^3.9", ">=3.9,<4"),
        ("!=3.0.*,>=2.7", "!=3.0.*,>=2.7"),
    ],
)  # fmt: skip
def test_poetrys_ranges_are_converted_to_standard_specifiers(text: str, expected: str) -> None:
    assert convert_poetry_range(text) == expected
