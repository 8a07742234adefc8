"""A digest of what a replay depends on beside the repository: programs, packages, settings, variables."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from migration_gate import __version__
from migration_gate.checkpoint.dependencies import compute_digest
from migration_gate.config.settings import Settings
from migration_gate.postgres.server_choice import ServerChoice
from migration_gate.project import Project
from migration_gate.project.interpreter import list_package_folders
from migration_gate.sandbox.user import WITHHELD_PREFIXES

LAYOUT = "1"
"""changes when the files of a checkpoint do"""
JUDGING_FIELDS = frozenset({
    "name", "is_named_project", "config_file", "is_config_named", "checked_folder", "install",
    "cache", "installed", "run_seconds", "import_seconds", "install_seconds", "base",
    "examines_base", "scope", "baseline", "policy", "watch", "snapshots", "rollback", "observe",
    "raw_sql_allow", "owners", "checks", "allowances", "forbid_allow", "policy_note", "fail_on",
    "origins", "further_postgres", "checkpoint", "sizes", "sizes_file",
    "rehearsal_sql", "rehearsal_function",
})  # fmt: skip
"""of `Settings`: no replay depends on them"""
VOLATILE_PREFIXES = (
    "TERM_", "SSH_", "XDG_", "DBUS_", "TMUX_", "VSCODE_", "ITERM_", "GNOME_", "KDE_", "KONSOLE_",
    "WEZTERM_", "KITTY_", "ALACRITTY_", "LESS_", "GPG_", "GIT_", "PRE_COMMIT_", "LC_TERMINAL",
    "PYTEST_", "CODESPACE_", "SYSTEMD_", "DESKTOP_", "MAKE_TERM", "npm_", "ATUIN_",
    "STARSHIP_", "DIRENV_", "WT_", "COVERAGE_", "COV_CORE_",
)  # fmt: skip
"""each to the end of a word: a project may have variables of its own, as `HISTORY_DAYS`"""
VOLATILE_NAMES = frozenset({
    "PWD", "OLDPWD", "SHLVL", "_", "COLUMNS", "LINES", "DISPLAY", "WAYLAND_DISPLAY", "STY", "PS1",
    "PS2", "PAGER", "EDITOR", "VISUAL", "LS_COLORS", "SESSION_MANAGER", "SHELL", "TERM", "TERMCAP",
    "TERMINFO", "TMUX", "LESS", "LESSOPEN", "LESSCLOSE", "LESSCHARSET", "HISTFILE", "HISTSIZE",
    "HISTFILESIZE", "HISTCONTROL", "HISTIGNORE", "HISTTIMEFORMAT", "WINDOWID", "WINDOWPATH",
    "COLORTERM", "COLORFGBG", "MAKEFLAGS", "MAKELEVEL", "MAKEFILES", "MAKEOVERRIDES", "MFLAGS",
    "SECURITYSESSIONID", "TMPDIR", "VIRTUAL_ENV_PROMPT", "MAIL", "LOGNAME", "HOSTNAME", "PRE_COMMIT",
    "PROMPT_COMMAND", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "INSIDE_EMACS", "CODESPACES",
    "INVOCATION_ID", "JOURNAL_STREAM",
})  # fmt: skip
"""variables of terminals, editors and hooks, which are others in each session"""


def compute_surroundings(
    settings: Settings, project: Project, choice: ServerChoice, environ: Mapping[str, str] = os.environ
) -> str | None:
    """The digest; None where the packages of the project's interpreter cannot be listed without it."""
    folders = list_package_folders(project.python.parent.parent)
    if not folders:
        return None
    parts: list[object] = [LAYOUT, __version__, sys.platform, os.geteuid(), *_describe_own_code()]
    parts += describe_interpreter(project.python, folders)
    parts += _describe_server(choice)
    parts += _describe_settings(settings)
    parts += _describe_project(project)
    parts += _describe_files(settings, project)
    parts += sorted(f"{name}={value}" for name, value in environ.items() if _is_lasting(name))
    text = json.dumps(parts, default=str)
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def _describe_own_code() -> Iterator[object]:
    """The gate's own files: in a checkout they change without a new version."""
    top = Path(__file__).parents[1]
    for part in ("worker", "replay", "catalog", "checkpoint", "postgres"):
        for folder, _, names in sorted(os.walk(top / part)):
            for name in sorted(names):
                if name.endswith((".py", ".sql")):
                    status = os.stat(f"{folder}/{name}")  # noqa: PTH116 - many
                    yield f"{folder} {name} {status.st_size} {status.st_mtime_ns}"


def describe_interpreter(python: Path, folders: tuple[Path, ...]) -> Iterator[object]:
    """The program, and the installed distributions; what a `.pth` file adds is named by its content."""
    yield str(python)
    yield _describe_file(python.resolve())
    for folder in folders:
        yield str(folder)
        for name in sorted(os.listdir(folder) if folder.is_dir() else ()):  # noqa: PTH208
            if name.endswith((".dist-info", ".egg-info", ".egg-link")):
                yield name
                yield from _describe_origin(folder / name)
            elif name.endswith(".pth"):
                yield f"{name} {compute_digest(folder / name)}"


def _describe_origin(distribution: Path) -> Iterator[object]:
    """Of one that is from no index: its version may be the same when its files, or their commit, are not."""
    if (distribution / "direct_url.json").is_file():
        yield [compute_digest(distribution / name) for name in ("direct_url.json", "RECORD")]


def _describe_server(choice: ServerChoice) -> Iterator[object]:
    yield choice.kind
    if choice.package is not None:
        yield choice.package.wheel.contents
        yield choice.package.package.server
    if choice.installation is not None:
        programs = choice.installation.folder
        yield f"{choice.installation.version} {choice.installation.build} {programs}"
        yield _describe_file(programs / "postgres")
        major = choice.installation.version.split(".")[0]
        for place in (f"/usr/share/postgresql/{major}/extension", programs / "../share/extension"):
            yield _describe_file(Path(place))
        yield _describe_file(programs / "../share/postgresql/extension")


def _describe_settings(settings: Settings) -> Iterator[object]:
    for field in dataclasses.fields(settings):
        if field.name not in JUDGING_FIELDS:
            yield f"{field.name}={getattr(settings, field.name)!r}"


def _describe_project(project: Project) -> Iterator[object]:
    for field in dataclasses.fields(project):
        if field.name != "notes":
            yield f"{field.name}={getattr(project, field.name)!r}"


def _describe_files(settings: Settings, project: Project) -> Iterator[object]:
    """Files that are read without an import: Alembic's configuration, `.env`, those of `prepare`."""
    if project.config is not None and project.config.suffix == ".toml":
        yield _read_alembic_table(project.config)
    elif project.config is not None:
        yield compute_digest(project.config)
    files = [folder / ".env" for folder in (project.root, project.directory, settings.root)]
    files += [Path(step.text) for step in settings.prepare if step.kind == "sql_file"]
    if settings.start_from is not None and settings.start_from.dump is not None:
        files.append(settings.start_from.dump)
    if settings.hook is not None:
        files.append(settings.hook)
    yield from (f"{file} {compute_digest(file)}" for file in files)


def _read_alembic_table(file: Path) -> object:
    import tomllib  # noqa: PLC0415 - few projects have their configuration there

    try:
        return tomllib.loads(file.read_text("utf-8")).get("tool", {}).get("alembic")
    except (OSError, ValueError):
        return None


def _describe_file(path: Path) -> str:
    """Its size and the time of its last change; '' if it is not there."""
    try:
        status = path.stat()
    except OSError:
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"


def _is_lasting(name: str) -> bool:
    return not name.startswith((*WITHHELD_PREFIXES, *VOLATILE_PREFIXES)) and name not in VOLATILE_NAMES
