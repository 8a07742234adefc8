"""Lock files as the tools that wrote them export them."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from migration_gate.install.installer import OWN_SUBFOLDERS, Installer, select_variables
from migration_gate.install.lock_export import (
    ExportedLock,
    PackageIndex,
    Selection,
    export_lock,
    list_private_indexes,
    select_from_uv_lock,
)
from migration_gate.install.package_source import LOCK_FILES, PackageSource, SourceKind
from migration_gate.install.requirement_files import read_requirement_files, separate_local_packages
from tests.support.install_projects import (
    LOCKS,
    copy_locked_project,
    find_uv,
    list_files,
    read_index_variables,
)

MAIN_PACKAGES = Selection()
SELECTIONS = {
    "poetry": [
        Selection(),
        Selection(("migrations",)),
        Selection(("dev",)),
        Selection(("migrations",), ("pg",)),
        Selection(("dev", "migrations"), ("pg",)),
    ],
    "pdm": [Selection(), Selection(("dev",)), Selection((), ("pg",)), Selection(("dev",), ("pg",))],
    "pipenv": [Selection(), Selection(("dev",))],
}
PYTHONS = ("3.10.13", "3.11.7", "3.12.1", "3.13.0")
POETRY_1_1 = """
[[package]]
name = "iniconfig"
version = "2.0.0"
description = ""
category = "main"
optional = false
python-versions = ">=3.7"

[package.source]
type = "legacy"
url = "https://pypi.acme.example/simple"
reference = "acme"

[[package]]
name = "toml"
version = "0.10.2"
description = ""
category = "dev"
optional = false
python-versions = "*"

[metadata]
lock-version = "1.1"
python-versions = "^3.9"
content-hash = "of an older pyproject.toml"

[metadata.files]
iniconfig = [{file = "iniconfig-2.0.0-py3-none-any.whl", hash = "sha256:b6a85871"}]
toml = [{file = "toml-0.10.2-py2.py3-none-any.whl", hash = "sha256:806143ae"}]
"""
POETRY_1_PROJECT = """
[tool.poetry]
name = "shop"
version = "1"
description = ""
authors = []
[tool.poetry.dependencies]
python = "^3.9"
iniconfig = "^2.0"
[tool.poetry.dev-dependencies]
toml = "*"
[[tool.poetry.source]]
name = "acme"
url = "https://pypi.acme.example/simple/"
default = true
"""
PDM_2_4 = """
[[package]]
name = "iniconfig"
version = "2.0.0"
requires_python = ">=3.7"
summary = ""

[metadata]
lock_version = "4.2"
groups = ["default"]
content_hash = "sha256:00"

[metadata.files]
"iniconfig 2.0.0" = [{url = "https://files.example/iniconfig-2.0.0.tar.gz", hash = "sha256:b6a85871"}]
"""


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an empty environment."""
    folder = tmp_path_factory.mktemp("environment") / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return folder / "bin" / "python"


@pytest.fixture(scope="session")
def installer(tmp_path_factory: pytest.TempPathFactory) -> Installer:
    """An installer with a cache for all tests, so that each tool is downloaded once."""
    folder = tmp_path_factory.mktemp("cache")
    for name in OWN_SUBFOLDERS:
        (folder / name).mkdir()
    return Installer(
        None, select_variables(read_index_variables(), {}), folder, time.monotonic() + 3600, 3600
    )


Export = Callable[..., ExportedLock]


@pytest.fixture
def export(environment: Path, installer: Installer) -> Export:
    """Exports the lock file of a folder; the tool must succeed, and leave nothing in the folder."""

    def run_export(folder: Path, selection: Selection = MAIN_PACKAGES) -> ExportedLock:
        before = list_files(folder)
        source = find_lock(folder)
        export = export_lock(source, selection, environment, find_uv(), installer)
        while True:
            try:
                next(export)
            except StopIteration as end:
                exported: ExportedLock = end.value
                break
        assert exported.finished.status == 0, exported.finished.tail
        assert list_files(folder) == before
        return exported

    return run_export


def find_lock(folder: Path) -> PackageSource:
    kinds: dict[str, SourceKind] = LOCK_FILES
    name = next(name for name in kinds if (folder / name).is_file())
    return PackageSource(kinds[name], folder / name, folder)


def list_packages(text: str, python: str) -> list[str]:
    """The requirements that hold for this Python on this machine, without hashes and extras."""
    here = {
        "python_version": python.rpartition(".")[0],
        "python_full_version": python,
        "implementation_version": python,
    }
    packages = set()
    for line in text.splitlines():
        requirement_text = re.sub(r"\s--hash=\S+", "", line).partition("#")[0].strip()
        if requirement_text:
            requirement = Requirement(requirement_text)
            if not requirement.marker or requirement.marker.evaluate(here):
                packages.add(f"{canonicalize_name(requirement.name)}{requirement.specifier}")
    return sorted(packages)


@pytest.mark.release
@pytest.mark.slow
def test_genuine_lock_files_have_these_packages_for_each_python_group_and_extra(
    tmp_path: Path, export: Export, golden: Callable[[str, str], None]
) -> None:
    lines: list[str] = []
    for kind in ("poetry", "poetry-1", "pdm", "pipenv"):
        folder = copy_locked_project(tmp_path / kind, kind)
        selections = SELECTIONS[kind.removesuffix("-1")]
        texts = [export(folder, selection).text for selection in selections]
        for python in PYTHONS:
            for selection, text in zip(selections, texts, strict=True):
                groups, extras = ",".join(selection.groups), ",".join(selection.extras)
                lines.append(
                    f"{kind}, Python {python}, groups: {groups or 'none'}, extras: {extras or 'none'}"
                )
                lines += [f"    {package}" for package in list_packages(text, python)]
    golden("install/locked_packages.txt", "\n".join(lines) + "\n")


@pytest.mark.slow
@pytest.mark.release
def test_a_lock_file_of_poetry_1_1_is_exported_even_if_it_is_out_of_date(
    tmp_path: Path, export: Export
) -> None:
    (tmp_path / "poetry.lock").write_text(POETRY_1_1)
    (tmp_path / "pyproject.toml").write_text(POETRY_1_PROJECT)
    exported = export(tmp_path)
    assert list_packages(exported.text, "3.11.7") == ["iniconfig==2.0.0"]
    assert "--hash=sha256:b6a85871" in exported.text
    assert list_packages(export(tmp_path, Selection(("dev",))).text, "3.11.7") == [
        "iniconfig==2.0.0",
        "toml==0.10.2",
    ]
    indexes = list_private_indexes(find_lock(tmp_path), exported.index_urls)
    assert indexes == [PackageIndex("acme", "https://pypi.acme.example/simple")]


@pytest.mark.slow
def test_a_lock_file_of_pdm_2_4_is_exported(tmp_path: Path, export: Export) -> None:
    (tmp_path / "pdm.lock").write_text(PDM_2_4)
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.9"\ndependencies = ["iniconfig"]\n'
    )
    assert list_packages(export(tmp_path).text, "3.11.7") == ["iniconfig==2.0.0"]


@pytest.mark.slow
def test_packages_of_the_repository_and_from_git_keep_their_addresses(tmp_path: Path, export: Export) -> None:
    folder = tmp_path / "mein schöner Laden"
    shared = folder / "libs" / "shared"
    shared.mkdir(parents=True)
    (shared / "pyproject.toml").write_text('[project]\nname = "shared"\nversion = "2"\n')
    (folder / "Pipfile.lock").write_text(
        '{"_meta": {"sources": [{"name": "acme", "url": "https://pypi.acme.example/simple"}]}, "default": {'
        '"a": {"git": "ssh://git@github.com/acme/a.git", "ref": "abc", "subdirectory": "py"},'
        '"shared": {"path": "libs/shared", "editable": true},'
        '"c": {"version": "==3", "hashes": ["sha256:00"], "index": "acme"}}}'
    )
    (folder / "Pipfile").write_text('[[source]]\nname = "acme"\nurl = "https://pypi.acme.example/simple"\n')
    exported = export(folder)
    requirements = separate_local_packages(exported.text, [folder])
    assert requirements.folders == (shared,)
    assert "a @ git+ssh://git@github.com/acme/a.git@abc#subdirectory=py" in requirements.text.splitlines()
    assert "c==3 --hash=sha256:00" in requirements.text.splitlines()
    indexes = list_private_indexes(find_lock(folder), exported.index_urls)
    assert indexes == [PackageIndex("acme", "https://pypi.acme.example/simple")]


@pytest.mark.parametrize(
    "line",
    ["-e .", "--editable=./", ".", "./", ".[pg,dev] ; python_version > '3'", "file:.", "-e file://{uri}#egg=shop",
     "shop @ file://{uri} ; python_version < '4'", "{path}"],
)  # fmt: skip
def test_a_requirement_that_is_a_package_of_the_repository_is_taken_out(tmp_path: Path, line: str) -> None:
    folder = tmp_path / ("mein-Laden" if "{path}" in line else "mein schöner Laden")
    folder.mkdir()
    (folder / "setup.py").write_text("")
    text = "alembic\n" + line.format(uri=folder.as_uri().removeprefix("file://"), path=folder)
    assert separate_local_packages(text, [folder]).folders == (folder,)
    assert separate_local_packages(text, [folder]).text == "alembic\n"


def test_an_editable_git_repository_is_not_editable_for_uv() -> None:
    text = "-e git+https://github.com/acme/a.git@abc#egg=a&subdirectory=py\n"
    assert separate_local_packages(text, []).text == text.removeprefix("-e ")


def test_a_folder_without_a_package_stays_in_the_list(tmp_path: Path) -> None:
    text = "alembic\n./wheels/shop-1-py3-none-any.whl\nhttps://files.example/shop.zip\n-c limits.txt\n"
    assert separate_local_packages(text, [tmp_path]).text == text


def test_a_package_at_an_address_is_left_out_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("alembic\nPrivate_Tools[x] @ git+https://e.org/t.git\nother @ file:///srv/other\n")
    assert (
        read_requirement_files([file], ["private-tools", "alembic"]).text
        == "alembic\nother @ file:///srv/other\n"
    )


@pytest.mark.parametrize(
    ("project", "expected"),
    [
        ("services/api", ["--no-default-groups", "--package", "api", "--extra", "pg", "--group", "dev"]),
        ("", ["--no-default-groups", "--all-packages", "--extra", "pg", "--group", "dev"]),
    ],
)
def test_the_member_of_a_uv_workspace_is_chosen_by_the_projects_name(
    project: str, expected: list[str]
) -> None:
    folder = LOCKS / "uv"
    source = PackageSource("uv", folder / "uv.lock", folder / project if project else None)
    assert select_from_uv_lock(source, Selection(("dev",), ("pg",))) == expected
