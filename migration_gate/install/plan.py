"""From a source to commands: how each kind of file is installed with uv."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migration_gate.errors import Misconfigured
from migration_gate.install import driver, pdm, pipenv, poetry, source, workspace
from migration_gate.install.lock import Lock, Package, Wanted, canonical, choose
from migration_gate.install.place import Home
from migration_gate.install.source import Source

READERS: dict[str, Callable[[Path], Lock]] = {"poetry": poetry.read, "pdm": pdm.read, "pipenv": pipenv.read}
STATIC = ("dependencies", "optional-dependencies")


@dataclass(frozen=True, slots=True)
class Order:
    """What is installed, and into what."""

    source: Source
    home: Home
    python: tuple[int, ...]
    groups: tuple[str, ...]
    extras: tuple[str, ...]
    uv: str
    scratch: Path
    """a folder for files that the installer reads"""
    without: tuple[str, ...] = ()
    """packages that are left out, by their canonical names"""


@dataclass(frozen=True, slots=True)
class Step:
    """One command, and the folder to run it in."""

    command: tuple[str, ...]
    cwd: Path
    also: tuple[tuple[str, str], ...] = ()
    """variables"""


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps in order, what to make importable, and what to say."""

    steps: tuple[Step, ...]
    links: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def plan(order: Order) -> Plan:
    """The steps for the source's kind."""
    kind = order.source.kind
    if kind == "uv":
        return _uv(order)
    if kind in READERS:
        return _read(order)
    if kind == "pylock":
        return Plan((_pip(order, "-r", str(order.source.file), *_chosen(order)),), _own(order))
    return _requirements(order) if kind == "requirements" else _project(order)


def files(found: Source, groups: Sequence[str]) -> list[Path]:
    """The files that decide what is installed."""
    every = [found.file]
    if found.kind == "requirements":
        asked = [found.file, *source.of_groups(found.file, groups)]
        every = [path for each in asked for path in source.walk(each.resolve())]
    for folder in filter(None, (found.folder, found.project)):
        every += [folder / name for name in ("pyproject.toml", "setup.py", "setup.cfg", "uv.toml")]
    if found.kind == "uv":
        every += [each / "pyproject.toml" for each in workspace.folders(found)]
    return [each for each in dict.fromkeys(every) if each.is_file()]


def _pip(order: Order, *arguments: str, cwd: Path | None = None) -> Step:
    command = (order.uv, "pip", "install", "--python", str(order.home.python), *arguments)
    return Step(command, cwd or order.source.folder)


def _chosen(order: Order) -> list[str]:
    return [
        *(word for each in order.extras for word in ("--extra", each)),
        *(word for each in order.groups for word in ("--group", each)),
    ]


def _own(order: Order) -> tuple[Path, ...]:
    return (order.source.project,) if order.source.project else ()


def _uv(order: Order) -> Plan:
    """`uv sync` of what the lock file says, without what lies in the repository: that is made importable."""
    found = workspace.read(order.source, order.groups, order.extras)
    command = [order.uv, "sync", "--frozen", "--no-install-local", "--no-default-groups", "--python",
               str(order.home.python), *found.selection]  # fmt: skip
    command += _chosen(order)
    command += [word for name in order.without for word in ("--no-install-package", name)]
    replaced: list[str] = []
    notes: list[str] = []
    if not driver.can_build():
        for name, version in found.versions.items():
            if name in driver.WHEELS:
                command += ["--no-install-package", name]
                replaced.append(f"{driver.WHEELS[name]}=={version}")
                notes.append(_said(name))
    steps = [Step(tuple(command), order.source.folder, (("UV_PROJECT_ENVIRONMENT", str(order.home.folder)),))]
    more = [*replaced, *map(str, found.archives)]
    if more:
        steps.append(_pip(order, "--no-deps", *more))
    return Plan(tuple(steps), tuple(found.local), tuple(notes))


def _said(name: str) -> str:
    return f"{driver.WHEELS[name]} was installed for {name}, which has to be built and cannot be here"


def _read(order: Order) -> Plan:
    """The lock file's packages for this interpreter, by name and hash, and nothing that they need beside."""
    lock = READERS[order.source.kind](order.source.file)
    chosen = choose(lock, Wanted(order.python, order.groups, order.extras))
    unknown = [each for each in order.groups if each not in lock.groups]
    if unknown:
        raise Misconfigured(
            f"`groups` names `{unknown[0]}`, which `{order.source.file.name}` does not have.",
            where="groups",
            advice=f"It has {', '.join(lock.groups) or 'none'}.",
        )
    notes = []
    lines: list[str] = []
    for each in chosen:
        name = canonical(each.name)
        if each.folder is not None or name in order.without:
            continue
        if name in driver.WHEELS and not each.address and not driver.can_build():
            lines.append(f"{driver.WHEELS[name]}=={each.version}")
            notes.append(_said(name))
        else:
            lines.append(each.line())
    file = order.scratch / "locked.txt"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    step = _pip(order, "--no-deps", "-r", str(file))
    local = [each.folder for each in chosen if each.folder is not None]
    home = order.source.folder
    own = [home] if source.is_package(home) else list(_own(order))
    return Plan((_with_indexes(step, lock, chosen),), (*own, *local), tuple(notes))


def _with_indexes(step: Step, lock: Lock, chosen: Sequence[Package]) -> Step:
    """The step with the lock's own indexes; all of them are looked through, since the hashes decide."""
    found = [(name, url) for name, url in lock.indexes if "pypi.org/simple" not in url]
    if not found:
        return step
    words = [word for name, url in found for word in ("--index", f"{_index(name)}={url}")]
    if all(each.hashes for each in chosen if not each.address and each.folder is None):
        words += ["--index-strategy", "unsafe-best-match"]
    return Step((*step.command, *words), step.cwd, step.also)


def _index(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", name)


def _requirements(order: Order) -> Plan:
    """Files of requirements as they are; packages of the repository in them are made importable."""
    asked = [order.source.file, *source.of_groups(order.source.file, order.groups)]
    every = [path for each in asked for path in source.walk(each.resolve())]
    local = [folder for each in every for folder in _local(each)]
    arguments = [word for each in asked for word in ("-r", str(_without_local(order, each, local)))]
    arguments += [word for folder in local for word in ("-r", str(_metadata(order, folder)))]
    words, notes = _wheels(order, every)
    arguments += words
    if order.extras and local:
        arguments += [word for each in order.extras for word in ("--extra", each)]
    return Plan((_pip(order, *arguments),), tuple(dict.fromkeys((*_own(order), *local))), tuple(notes))


LOCAL = re.compile(
    r"^\s*(?:(?:-e|--editable)[ =]?\s*)?(?:file:(?://)?)?(\.{1,2}(?:/[\w./-]*)?|/[\w./-]+)(\[[\w,-]*\])?\s*(?:[;#].*)?$"
)


def _local(file: Path) -> list[Path]:
    """The folders that a file of requirements wants installed: `-e .`, `./libs/shared`."""
    found = []
    for line in file.read_text("utf-8", "replace").splitlines():
        if match := LOCAL.match(line):
            folder = (file.parent / match[1]).resolve()
            if not source.is_package(folder):
                folder = (
                    file.parent.parent / match[1]
                ).resolve()  # pip starts where it is run: the top, often
            if source.is_package(folder):
                found.append(folder)
    return found


def _without_local(order: Order, file: Path, local: Sequence[Path]) -> Path:
    """The file itself, or where it names folders, one text with all it includes and without them."""
    if not local:
        return file
    lines: list[str] = []
    for each in source.walk(file.resolve()):
        for line in each.read_text("utf-8", "replace").splitlines():
            if LOCAL.match(line) or re.match(r"\s*(-r|--requirement)\b", line):
                continue
            lines.append(
                re.sub(
                    r"^(\s*(?:-c|--constraint|-f|--find-links)[ =]\s*)(?!\w+://|/)",
                    rf"\1{each.parent}/",
                    line,
                )
            )
    copy = order.scratch / f"{file.stem}.txt"
    copy.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return copy


def _project(order: Order) -> Plan:
    """The requirements of a package that has no lock."""
    assert order.source.project is not None  # noqa: S101 - it is how this kind was found
    file = _metadata(order, order.source.project)
    data = source.pyproject(order.source.project)
    words, notes = _wheels(order, [order.source.file])
    words += [word for each in order.extras for word in ("--extra", each)]
    groups = [each for each in order.groups if each in data.get("dependency-groups", {})]
    words += [word for each in groups for word in ("--group", f"{file}:{each}")]
    return Plan((_pip(order, "-r", str(file), *words),), (order.source.project,), tuple(notes))


def _wheels(order: Order, every: Sequence[Path]) -> tuple[list[str], list[str]]:
    """Arguments that put wheels in the place of drivers that cannot be built here."""
    found = [] if driver.can_build() else driver.from_source(every)
    excluded = [*(name for name, _ in found), *order.without]
    if not excluded:
        return [], []
    file = order.scratch / "excluded.txt"
    file.write_text("\n".join(excluded) + "\n", encoding="utf-8")
    return ["--excludes", str(file), *(wheel for _, wheel in found)], [_said(name) for name, _ in found]


def _metadata(order: Order, folder: Path) -> Path:
    """The file to read a package's requirements from: where they must be built, that of a copy.

    Some build backends write beside the sources, where they may not, and should not.
    """
    project: dict[str, Any] = source.pyproject(folder).get("project", {})
    if project and not set(project.get("dynamic", ())) & set(STATIC):
        return folder / "pyproject.toml"
    copy = order.scratch / "built" / folder.name
    if not copy.exists():
        shutil.copytree(folder, copy, symlinks=True, ignore=_unneeded)
    file = next(
        each for name in ("pyproject.toml", "setup.py", "setup.cfg") if (each := copy / name).is_file()
    )
    if (
        file.name == "pyproject.toml"
        and not project
        and "poetry" not in source.pyproject(folder).get("tool", {})
    ):
        file = next((each for name in ("setup.py", "setup.cfg") if (each := copy / name).is_file()), file)
    return file


def _unneeded(folder: str, names: list[str]) -> set[str]:
    """What a build has no use for: environments, caches, other languages' packages."""
    heavy = {"node_modules", "__pycache__", "venv", "build", "dist"}
    return {
        each
        for each in names
        if each in heavy or each.startswith(".") or (Path(folder) / each / "pyvenv.cfg").exists()
    }
