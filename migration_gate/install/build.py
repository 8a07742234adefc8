"""Builds one environment from nothing: interpreter, packages, driver, the project itself, and its record."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from migration_gate.errors import ProjectNotImported
from migration_gate.install import driver, failure, groups, link, place, plan, python
from migration_gate.install.installer import Installer, environment
from migration_gate.install.job import Job
from migration_gate.install.lock import canonical
from migration_gate.install.place import Cache, Home
from migration_gate.install.plan import Order, Step
from migration_gate.project import interpreter


def build(
    work: Job, kept: Cache, home: Home, environ: Mapping[str, str]
) -> Generator[str, None, dict[str, Any]]:
    """Build an environment from nothing, and write its record last."""
    place.clear(home)
    limit, uv = work.settings.install_seconds, _uv()
    end = time.monotonic() + limit
    given = environment(environ, work.settings.env_by_name())
    installer = Installer(kept.account, given, kept.folder, end, limit)
    found = yield from python.find(work.wish, installer, uv)
    seed = ["--seed"] if work.command else []
    venv = [uv, "venv", "--no-project", "--no-config", *seed, "--python", str(found.path), str(home.folder)]
    yield from _run(Step(tuple(venv), kept.folder), installer, work.title, work)
    notes = [found.note] if found.note else []
    notes += [f"{name} was not installed (`without`)" for name in work.settings.without]
    links: tuple[Path, ...] = ()
    if work.command:
        yield from _run(_own_command(work, home), installer, work.title, work)
    elif work.source is not None:
        groups, extras = work.settings.groups, work.settings.extras
        without = tuple(map(canonical, work.settings.without))
        order = Order(work.source, home, found.version, groups, extras, uv, kept.folder, without)
        links, said = yield from _carry_out(order, work, installer, kept)
        notes += said
    _demand(home, work)
    added, why = driver.missing(_packages(home), work.scripts)
    if added:
        step = Step((uv, "pip", "install", "--python", str(home.python), *added), kept.folder)
        yield from _run(step, installer, f"adding {' and '.join(added)}", work)
        notes.append(f"the project brings no PostgreSQL driver: {added[0]} was added, as {why}")
    version = ".".join(map(str, found.version))
    record: dict[str, Any] = {"folder": str(home.folder), "version": version, "notes": notes}
    record["driver"] = added[0] if added else ""
    finish = link.command(home, [link.of(each) for each in links], record)
    yield from _run(Step(tuple(finish), kept.folder), installer, "the last step", work)
    return record


def _carry_out(
    order: Order, work: Job, installer: Installer, kept: Cache
) -> Generator[str, None, tuple[tuple[Path, ...], list[str]]]:
    """Run the steps; again with one more group where Alembic is there. What to link, and what to say."""
    said: list[str] = []
    for _ in range(3):
        with _scratch(kept) as scratch:  # a new one each time: build scripts may have touched the one before
            planned = plan.plan(replace(order, scratch=scratch))
            if kept.account:
                place.give(scratch, kept.account.uid, kept.account.gid, kept.owners)
            for step in planned.steps:
                yield from _run(step, installer, f"installing from {work.title}", work)
        lacks = interpreter.inspect_interpreter(order.home.python, "", order.home.folder, {}).missing
        more = groups.holding(order.source, lacks[0]) if lacks else ((), ())
        asked = (*order.groups, *more[0]), (*order.extras, *more[1])
        if asked == (order.groups, order.extras) or any(len(set(each)) < len(each) for each in asked):
            break
        word, name = ("group", more[0][0]) if more[0] else ("extra", more[1][0])
        said.append(f"the {word} `{name}` was installed too: {lacks[0]} is in it")
        order = replace(order, groups=asked[0], extras=asked[1])
    return planned.links, [*planned.notes, *said]


def _demand(home: Home, work: Job) -> None:
    """ProjectNotImported where what was installed is not enough for a migration."""
    lacks = interpreter.inspect_interpreter(home.python, "", home.folder, {}).missing
    if lacks and work.command:
        raise ProjectNotImported(
            f"The command {work.title} succeeded, and left no {' and no '.join(lacks)} in the environment.",
            where="install",
            advice=f"It is made for `{home.folder}`, which is $VIRTUAL_ENV and first on PATH: install there.",
        )
    if lacks and work.source:
        raise ProjectNotImported(
            f"Everything in {work.title} was installed, and there is no {' and no '.join(lacks)} in it.",
            where=str(work.source.file),
            advice="Name the group or the extra that has it (`groups:`, `extras:`), or give the command that "
            f"installs it: `install: pip install {' '.join(lacks)} …`.",
        )


def _own_command(work: Job, home: Home) -> Step:
    """The user's own command, in a shell, with the environment active."""
    path = f"{home.folder / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    also = (("VIRTUAL_ENV", str(home.folder)), ("UV_PROJECT_ENVIRONMENT", str(home.folder)), ("PATH", path))
    return Step(("/bin/sh", "-c", work.command), work.settings.working_directory, also)


def _run(step: Step, installer: Installer, title: str, work: Job) -> Generator[str, None, None]:
    done = yield from installer.run(step.command, step.cwd, dict(step.also))
    if done.status:
        where = str(work.source.file) if work.source and not work.command else "install"
        raise failure.failed(title, where, done.lines, done.status)


def _packages(home: Home) -> dict[str, str]:
    return dict(interpreter.inspect_interpreter(home.python, "", home.folder, {}).packages)


def _uv() -> str:
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if found is None:
        raise ProjectNotImported(
            "The project's packages were to be installed, and uv, which does it, is not on PATH.",
            where="install",
            advice="Install uv (https://docs.astral.sh/uv), or install the packages yourself and name the "
            "interpreter with `python:`.",
        )
    return found


@contextmanager
def _scratch(kept: Cache) -> Iterator[Path]:
    """A folder for what the installer reads, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="scratch-", dir=kept.folder))
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
