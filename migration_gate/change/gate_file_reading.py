"""Reads what a repository's files say about the gate itself, in the change and at its base.

Nothing is read if the change has none of these files: then both sides say the same.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from migration_gate import explain
from migration_gate.analysis.loosened_settings import SMALL_TABLES
from migration_gate.check import check_name
from migration_gate.ci.base_revision import Comparison, find_base
from migration_gate.ci.event import read_event
from migration_gate.config.baseline_file import read_baseline_text
from migration_gate.config.checkout_paths import FILE_LINE
from migration_gate.config.config_file import NAMES
from migration_gate.config.config_keys import format_key
from migration_gate.config.file_settings import FileSettings, load_file_settings
from migration_gate.config.precedence import SettingValue
from migration_gate.config.sections import PrepareKeys, StartFromKeys
from migration_gate.config.settings import DEFAULT_ORIGIN, Settings
from migration_gate.config.settings_text import hide_password
from migration_gate.config.sizes_file import SIZES_NAME
from migration_gate.config.table_size_settings import find_sizes_file, read_table_sizes
from migration_gate.errors import GateError
from migration_gate.facts import AllowanceText, BaselineLine, Facts, GateFiles, GateSetting, Location
from migration_gate.git.git_command import find_repository_root
from migration_gate.git.tracked_files import list_tracked_files
from migration_gate.git.tree_export import export_revision, read_exported_paths
from migration_gate.postgres.run_directory import temporary_run_directory
from migration_gate.scan.gate_runs import find_gate_runs, is_ci_file
from migration_gate.verdict.baseline import parse_baseline

CONFIG_NAMES = frozenset({*NAMES, "pyproject.toml"})
MAX_FILE_BYTES = 1 << 20
_EXTENDS = re.compile(r"""\bextends["']?[ \t]*[:=][ \t]*("[^"\n]+"|'[^'\n]+'|[^\s,}#]+)""")
"""the setting in YAML and TOML, with its value"""
UNCOMPARED = frozenset({"allow", "env", "env_file"})
"""keys that are compared otherwise, or hold secrets"""


def add_gate_files(
    facts: Facts, settings: Settings, comparison: Comparison, environ: Mapping[str, str]
) -> Facts:
    """The facts with what both sides say about the gate, if the change has any of these files."""
    commit = find_trusted_base(settings, comparison, environ)
    if facts.base is None or commit is None:
        return facts
    if commit == comparison.base.commit and not has_gate_files(settings, comparison):
        return facts
    base = replace(facts.base, gate_files=read_gate_files_of(settings, commit))
    return replace(facts, base=base, gate_files=read_own_gate_files(settings))


def find_trusted_base(settings: Settings, comparison: Comparison, environ: Mapping[str, str]) -> str | None:
    """The commit whose files are trusted: not the one that a file of the change may name as its base."""
    if settings.base is None or not FILE_LINE.search(settings.find_origin("base")):
        return comparison.base.commit
    base = find_base(settings.root, None, read_event(environ))
    return base.commit or comparison.base.commit


def has_gate_files(settings: Settings, comparison: Comparison) -> bool:
    """Whether a file that says something about the gate differs."""
    file = settings.config_file
    policies = _find_policy_names([_read_text(file)] if file is not None else [])
    return any(_is_gate_file(path, settings, policies) for path in comparison.changed_paths())


def read_own_gate_files(settings: Settings) -> GateFiles:
    """What the files of the change say, as they are on disk."""
    top = find_repository_root(settings.root)
    paths = [path for path in list_tracked_files(top).paths if is_ci_file(path)]
    return _read_gate_files(settings, top, top, paths)


def read_gate_files_of(settings: Settings, commit: str) -> GateFiles:
    """What the files of a commit say."""
    try:
        with export_gate_files(settings, commit) as tree:
            paths = [path for path in read_exported_paths(tree) or () if is_ci_file(path)]
            return _read_gate_files(settings, find_repository_root(settings.root), tree, paths)
    except GateError as error:
        return GateFiles(failure=error.message)


@contextmanager
def export_gate_files(settings: Settings, commit: str) -> Iterator[Path]:
    """The files of a commit that say something about the gate, in a folder. Raises GateError."""
    with temporary_run_directory() as folder:
        tree = _export_files(settings, commit, folder / "gate-files", frozenset())
        names = {*CONFIG_NAMES, *([settings.config_file.name] if settings.config_file is not None else [])}
        paths = (path for path in read_exported_paths(tree) or () if path.rpartition("/")[2] in names)
        policies = _find_policy_names(_read_text(tree / path) for path in paths)
        if policies:  # which have any name
            tree = _export_files(settings, commit, folder / "with-policies", policies)
        yield tree


def _export_files(settings: Settings, commit: str, folder: Path, policies: Collection[str]) -> Path:
    folder.mkdir()
    tree = folder.resolve()
    export_revision(
        settings.root, commit, tree, is_needed=lambda path: _is_gate_file(path, settings, policies)
    )
    return tree


def _find_policy_names(texts: Iterable[str]) -> frozenset[str]:
    """The names, without folders, of the files that configurations extend."""
    values = (value.strip("\"'") for text in texts for value in _EXTENDS.findall(text))
    return frozenset(value.rpartition("/")[2] for value in values)


def _is_gate_file(path: str, settings: Settings, policies: Collection[str]) -> bool:
    """`policies` are names of files that the configuration extends."""
    name = path.rpartition("/")[2]
    files = (settings.config_file, settings.baseline_file, settings.sizes_file)
    named = [SIZES_NAME, *(file.name for file in files if file is not None)]
    return name in CONFIG_NAMES or name in named or name in policies or is_ci_file(path)


def _read_gate_files(settings: Settings, top: Path, tree: Path, paths: list[str]) -> GateFiles:
    """What a tree says, which may be that of another commit than the one that is checked out at `top`."""
    runs = find_gate_runs({path: _read_text(tree / path) for path in paths})
    entries: tuple[BaselineLine, ...] = ()
    try:
        entries = _read_baseline(_move(settings.baseline_file, top, tree), tree)
        files = load_settings_of_tree(settings, top, tree)
    except GateError as error:
        return GateFiles(failure=error.message, runs=runs, baseline_entries=entries)
    return replace(describe_file_settings(files), runs=runs, baseline_entries=entries)


def _read_baseline(file: Path, tree: Path) -> tuple[BaselineLine, ...]:
    path = file.relative_to(tree).as_posix() if file.is_relative_to(tree) else str(file)
    baseline = parse_baseline(path, read_baseline_text(file) or "")
    return tuple(BaselineLine(entry.id, str(entry), Location(path, entry.line)) for entry in baseline.entries)


def load_settings_of_tree(settings: Settings, top: Path, tree: Path) -> FileSettings:
    """What the configuration in a tree says for the project. Raises GateError."""
    folder = settings.checked_folder or settings.root
    named = settings.config_file if settings.is_config_named else None
    return load_file_settings(
        _move(folder, top, tree), settings.name, None if named is None else _move(named, top, tree)
    )


def _move(path: Path, top: Path, tree: Path) -> Path:
    real = path.resolve()
    return tree / real.relative_to(top) if real.is_relative_to(top) else path


def _read_text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_FILE_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def describe_file_settings(files: FileSettings) -> GateFiles:
    """The configuration of one side, without its runs in CI."""
    allow = files.merged["allow",]
    return GateFiles(
        configuration=files.config_file.name,
        settings=(*_list_default_levels(files), *_list_settings(files), _list_small_tables(files)),
        allowances=tuple(
            AllowanceText(
                entry.check,
                entry.object,
                entry.reason,
                entry.until.isoformat() if entry.until else "",
                _read_location(allow.find_origin(("allow", number))),
            )
            for number, entry in enumerate(allow.value)
        ),
        projects=files.project_names,
    )


def _list_default_levels(files: FileSettings) -> Iterator[GateSetting]:
    """The severity of each check that the file does not set."""
    for check in explain.known_checks():
        name = check_name(check)
        if ("checks", name) not in files.merged:
            yield GateSetting(f"checks.{name}", (check.SEVERITY.value,))


def _list_settings(files: FileSettings) -> Iterator[GateSetting]:
    for key, value in files.merged.items():
        if key[0] not in UNCOMPARED:
            yield GateSetting(format_key(key), tuple(_describe_value(value.value)), _find_location(value))


def _list_small_tables(files: FileSettings) -> GateSetting:
    """The tables whose findings weigh less: by `tables`, `sizes` and `small_table` together.

    Raises Misconfigured if the file of sizes cannot be read.
    """
    sizes = read_table_sizes(files.merged, find_sizes_file(files.merged))
    places = (files.merged[key] for key in (("sizes",), ("small_table",)))
    location = next(filter(None, map(_find_location, places)), None)
    return GateSetting(SMALL_TABLES, sizes.list_small(), location)


def _find_location(value: SettingValue) -> Location | None:
    return None if value.where == DEFAULT_ORIGIN else _read_location(value.where)


def _read_location(where: str) -> Location:
    match = re.fullmatch(r"(.+):(\d+)", where)
    return Location(match[1], int(match[2])) if match else Location(where)


def _describe_value(value: object) -> Iterator[str]:
    """A value as texts, without passwords."""
    if value is None:
        return
    if isinstance(value, list | tuple):
        for item in value:
            yield from _describe_value(item)
    elif isinstance(value, PrepareKeys | StartFromKeys):
        yield ", ".join(f"{name}: {text}" for name, text in value.model_dump(exclude_none=True).items())
    elif isinstance(value, bool):
        yield str(value).lower()
    else:
        yield hide_password(str(value))
