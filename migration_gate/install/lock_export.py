"""Lets the tool that wrote a lock file export it as a list of requirements, which uv can install.

uv exports its own. For the others uv gets the tool from the package index into its cache: 2 to 4 s for the
first lock file, 1 to 2 s for every other, nothing for an environment that is in the cache. Each format is
exported by a version of its own time, because Poetry 2 rejects the sources of a Poetry 1 project
(`default = true`), and PDM since 2.11 exports no lock file without markers. The tools are pinned, what they
require is not: a list with hashes for five tools would be longer than this module.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Generator, Mapping, Sequence
from dataclasses import field
from pathlib import Path

from packaging.utils import canonicalize_name

from migration_gate.install.installer import FinishedCommand, Installer
from migration_gate.install.package_source import PackageSource
from migration_gate.install.project_metadata import get_table, read_project_name, read_pyproject, read_toml
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.search import read_text_file

Words = tuple[str, ...]
POETRY: Words = ("--from", "poetry==2.5.1", "--with", "poetry-plugin-export==1.10.1")
POETRY_1: Words = ("--from", "poetry==1.8.5", "--with", "poetry-plugin-export==1.8.0")
POETRY_1_LOCK = re.compile(r'^lock-version = "(1\.\d+|2\.0)"', re.MULTILINE)
PDM: Words = ("--from", "pdm==2.29.4")
PDM_2_10: Words = ("--from", "pdm==2.10.4")
PDM_MARKERS = "inherit_metadata"
"""the strategy of a pdm.lock that says which markers and groups each package has"""
PIPENV: Words = ("--from", "pipenv==2026.10.3")
INDEX_OPTION = re.compile(r"^(?:-i|--index-url|--extra-index-url)[ =]\s*(\S+)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PackageIndex:
    """An index beside PyPI; its name tells which variables have the credentials for it."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class ExportCommand:
    """The command that prints a lock file as requirements."""

    arguments: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Selection:
    """What to install beside the main packages."""

    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExportedLock:
    """A lock file as requirements."""

    finished: FinishedCommand
    text: str
    """one requirement a line, with its marker and hashes"""
    index_urls: frozenset[str]


def export_lock(
    source: PackageSource, selection: Selection, python: Path, uv: str, installer: Installer
) -> Generator[str, None, ExportedLock]:
    """The packages of a lock file for these groups and extras: yields what the tool says meanwhile.

    The caller looks at the exit status. python: the environment's interpreter.
    """
    command = build_export_command(source, selection, python, uv)
    with tempfile.TemporaryFile() as output:
        finished = yield from installer.run(command.arguments, source.folder, command.variables, output)
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    urls = frozenset(url.rstrip("/") for url in INDEX_OPTION.findall(text))
    return ExportedLock(finished, INDEX_OPTION.sub("", text).replace("\\\n", " "), urls)


def build_export_command(source: PackageSource, selection: Selection, python: Path, uv: str) -> ExportCommand:
    """The command for this kind of lock file. It prints the list, and writes nothing beside the file."""
    if source.kind == "uv":
        arguments = [
            uv,
            "export",
            "--frozen",
            "--no-header",
            "--no-annotate",
            "--no-hashes",
            "--python",
            str(python),
        ]
        return ExportCommand((*arguments, *select_from_uv_lock(source, selection)))
    lock_text = read_text_file(source.file)
    run_tool = (uv, "tool", "run", "--no-progress", "--python", ">=3.10")
    variables = {"UV_COMPILE_BYTECODE": ""}  # would take longer than the export
    if source.kind == "poetry":
        tool = POETRY_1 if POETRY_1_LOCK.search(lock_text) else POETRY
        arguments = ["poetry", "export", "--only", ",".join(("main", *selection.groups))]
        arguments += _repeat_option("--extras", selection.extras)
    elif source.kind == "pdm":
        tool = PDM if PDM_MARKERS in lock_text else PDM_2_10
        arguments = ["pdm", "export", *_select_from_pdm_lock(source, selection)]
        # Without an active environment PDM makes one in the project's folder.
        variables |= {"VIRTUAL_ENV": str(python.parent.parent), "PDM_CHECK_UPDATE": "0"}
        variables |= {"PDM_IGNORE_SAVED_PYTHON": "1"}
    else:
        tool = PIPENV
        categories = ["dev-packages" if group == "dev" else group for group in selection.groups]
        arguments = ["pipenv", "requirements", "--hash", "--categories", " ".join(["packages", *categories])]
    return ExportCommand((*run_tool, *tool, *arguments), variables)


def select_from_uv_lock(source: PackageSource, selection: Selection) -> list[str]:
    """The arguments that choose the member of the workspace that the project is, its groups and its extras.

    All members where the top of the workspace is no package itself, and the project is no member.
    """
    members = {canonicalize_name(str(row["name"])) for row in read_toml(source.file).get("package", ())}
    top = canonicalize_name(read_project_name(source.folder))
    project = canonicalize_name(read_project_name(source.project)) if source.project else ""
    arguments = ["--no-default-groups"]
    if project in members and project != top:
        arguments += ["--package", project]
    elif top not in members:
        arguments += ["--all-packages"]
    arguments += _repeat_option("--extra", selection.extras)
    return arguments + _repeat_option("--group", selection.groups)


def list_private_indexes(source: PackageSource, urls: frozenset[str]) -> list[PackageIndex]:
    """The indexes among these URLs, PyPI left out, with the names that the project's files give them."""
    data = read_pyproject(source.folder)
    rows = [*get_table(data, "tool.poetry").get("source", ()), *get_table(data, "tool.pdm").get("source", ())]
    if source.kind == "pipenv" and (source.folder / "Pipfile").is_file():
        rows += read_toml(source.folder / "Pipfile").get("source", ())
    names = {str(row["url"]).rstrip("/"): str(row.get("name", "")) for row in rows if "url" in row}
    return [
        PackageIndex(re.sub(r"[^A-Za-z0-9._-]", "-", names.get(url) or "index"), url)
        for url in sorted(urls)
        if "pypi.org/simple" not in url
    ]


def _select_from_pdm_lock(source: PackageSource, selection: Selection) -> list[str]:
    """PDM exports every group of developers, but where one is named, and refuses `--prod` where one is."""
    data = read_pyproject(source.folder)
    for_developers = {*get_table(data, "dependency-groups"), *get_table(data, "tool.pdm.dev-dependencies")}
    arguments = _repeat_option("--group", (*selection.groups, *selection.extras))
    return arguments if for_developers.intersection(selection.groups) else ["--prod", *arguments]


def _repeat_option(option: str, values: Sequence[str]) -> list[str]:
    """`--group a --group b`."""
    return [word for value in values for word in (option, value)]
