"""Turns merged values into `Settings`: paths become absolute and are checked, dotenv files are read."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from migration_gate.check import Severity
from migration_gate.config import dotenv, gate_variables
from migration_gate.config.checkout_paths import require_shared
from migration_gate.config.config_keys import Key, format_key
from migration_gate.config.precedence import SettingValue
from migration_gate.config.repository_root import find_repository_root
from migration_gate.config.sections import PrepareKeys, StartFromKeys
from migration_gate.config.settings import (
    Allowance,
    CheckSeverity,
    PrepareStep,
    Settings,
    StartFrom,
    ValueOrigin,
    Variable,
)
from migration_gate.config.table_size_settings import read_table_sizes
from migration_gate.errors import Misconfigured
from migration_gate.facts import Owners, RollbackScope
from migration_gate.lazy_dataclass import dataclass
from migration_gate.wording import TO_FILL_IN, nearest_name

CONFIGS = ("alembic.ini", "pyproject.toml")
Merged = Mapping[Key, SettingValue]


@dataclass(frozen=True, slots=True)
class MergedSettings:
    """The merged values of one project, read as the types that `Settings` has."""

    merged: Merged
    environ: Mapping[str, str]

    def value(self, *key: str) -> object:
        """A merged value as it is."""
        return self.merged[key].value

    def text(self, *key: str) -> str | None:
        """A merged text, or None if it is not set."""
        value = self.value(*key)
        return None if value is None else str(value)

    def texts(self, *key: str) -> tuple[str, ...]:
        """A merged list of texts; empty if it is not set."""
        value = self.value(*key)
        return tuple(map(str, value)) if isinstance(value, tuple) else ()

    def number(self, *key: str) -> float:
        """A merged number."""
        return float(str(self.value(*key)))

    def entries(self, section: str) -> dict[str, str]:
        """The entries of a mapping whose keys the user chooses: `env`, `checks`."""
        return {
            str(key[1]): str(entry.value)
            for key, entry in self.merged.items()
            if key[0] == section and len(key) > 1
        }

    def path(self, *key: str, folder: bool = False) -> Path | None:
        """An absolute path that exists; None if it is not set."""
        setting = self.merged[key]
        if setting.value is None:
            return None
        return require_path(setting, str(setting.value), format_key(key), folder=folder)


def require_path(setting: SettingValue, text: str, key: str, *, folder: bool = False) -> Path:
    """The absolute path that a setting names; raises Misconfigured when there is no such file or folder."""
    path = setting.folder / Path(text).expanduser()
    try:
        exists = path.is_dir() if folder else path.exists()
        neighbours = [] if exists else _names_in(path.parent, folders=folder)
    except OSError as error:
        raise Misconfigured(
            f"`{key}` names `{text}`, which cannot be looked at: {error.strerror}.",
            where=setting.where,
            advice="Fix the permissions, or name another path.",
        ) from error
    if exists:
        require_shared(setting, path, key)
        return path
    advice = f"Relative paths start at `{setting.folder}`."
    if similar_name := nearest_name(path.name, neighbours):
        advice = f"Did you mean `{Path(text).parent / similar_name}`? {advice}"
    raise Misconfigured(
        f"`{key}` names the {'folder' if folder else 'file'} `{text}`, which does not exist.",
        where=setting.where,
        advice=advice,
    )


def _names_in(folder: Path, *, folders: bool) -> list[str]:
    """The names of its files, or of its folders."""
    if not folder.is_dir():
        return []
    return [path.name for path in folder.iterdir() if path.is_dir() == folders]


def resolve_settings(
    name: str, root: Path, project_folder: Path, merged: Merged, environ: Mapping[str, str]
) -> Settings:
    """One project's settings; raises Misconfigured if a value does not fit the files on disk."""
    values = MergedSettings(merged, environ)
    sizes_file = values.path("sizes")
    return Settings(
        name=name,
        root=root,
        working_directory=values.path("working_directory", folder=True) or project_folder,
        project_folder=project_folder,
        alembic=_alembic_config(merged["alembic", "config"], values.path("alembic", "config")),
        section=str(values.value("alembic", "section")),
        flask_app=values.text("flask_app"),
        hook=values.path("hook"),
        python=_interpreter(merged["python",]),
        install=values.text("install") or ("auto" if environ.get(gate_variables.IMAGE_VARIABLE) else "off"),
        python_version=values.text("python_version"),
        groups=values.texts("groups"),
        extras=values.texts("extras"),
        without=values.texts("without"),
        cache=_cache_folder(merged["cache",]),
        env=tuple(Variable(*item) for item in _project_variables(values).items()),
        prepare=_preparation_steps(merged["prepare",]),
        target=values.texts("target", "revision"),
        x_arguments=(*values.texts("x"), *values.texts("target", "x")),
        start_from=_start_from(merged["start_from",]),
        postgres=values.texts("postgres")[0],
        further_postgres=values.texts("postgres")[1:],
        network=bool(values.value("network")),
        run_seconds=values.number("limits", "run"),
        statement_seconds=values.number("limits", "statement"),
        import_seconds=values.number("limits", "import"),
        install_seconds=values.number("limits", "install"),
        base=values.text("base"),
        baseline=_baseline_file(merged["baseline",]),
        scope="all" if values.value("scope") == "all" else "change",
        policy="base" if values.value("policy") == "base" else "change",
        watch=values.texts("watch"),
        snapshots=str(values.value("snapshots")),
        rollback=_revision_scope(values.value("rollback")),
        observe=_revision_scope(values.value("observe")),
        rehearsal_sql=_rows_file(merged["rehearsal", "sql_file"]),
        rehearsal_function=values.text("rehearsal", "python"),
        squawk=bool(values.value("squawk")),
        checkpoint=_checkpoint_use(values.value("checkpoint")),
        sizes_file=sizes_file,
        sizes=read_table_sizes(merged, sizes_file),
        raw_sql_allow=values.texts("raw_sql", "allow"),
        owners=read_owners(values),
        checks=read_levels(values),
        allowances=read_allowances(merged["allow",]),
        forbid_allow=values.texts("forbid_allow"),
        fail_on=Severity(str(values.value("fail_on"))),
        origins=tuple(ValueOrigin(format_key(key), value.where) for key, value in merged.items()),
    )


def read_levels(values: MergedSettings) -> tuple[CheckSeverity, ...]:
    """The entries of `checks:`."""
    return tuple(CheckSeverity(check, _severity(level)) for check, level in values.entries("checks").items())


def read_allowances(setting: SettingValue) -> tuple[Allowance, ...]:
    """The entries of `allow:`, each with its place."""
    return tuple(
        Allowance(
            entry.check, entry.reason, entry.object, entry.until, setting.find_origin(("allow", number))
        )
        for number, entry in enumerate(setting.value)
    )


def read_owners(values: MergedSettings) -> Owners:
    """The values of `owners:`."""
    return Owners(
        columns=values.texts("owners", "columns"),
        tables=values.texts("owners", "tables"),
        exempt=values.texts("owners", "exempt"),
        references=values.text("owners", "references"),
        every_reference=bool(values.value("owners", "every_reference")),
        on_delete=values.texts("owners", "on_delete"),
    )


def _revision_scope(value: object) -> RollbackScope:
    scopes: dict[object, RollbackScope] = {"all": "all", "off": "off"}
    return scopes.get(value, "change")


def _checkpoint_use(value: object) -> Literal["auto", "scratch", "off"]:
    uses: dict[object, Literal["scratch", "off"]] = {"scratch": "scratch", "off": "off"}
    return uses.get(value, "auto")


def _severity(level: str) -> Severity | None:
    return None if level == "off" else Severity(level)


def _alembic_config(setting: SettingValue, path: Path | None) -> Path | None:
    """The configuration file itself, where its folder was named."""
    if path is None or not path.is_dir():
        return path
    for name in CONFIGS:
        if (path / name).is_file():
            return path / name
    raise Misconfigured(
        f"`alembic` names the folder `{setting.value}`, which holds neither {' nor '.join(CONFIGS)}.",
        where=setting.where,
        advice="Name the file.",
    )


def _interpreter(setting: SettingValue) -> Path | None:
    """The Python that `python` names: a command on PATH, a file, or a virtual environment's folder."""
    if setting.value is None:
        return None
    text = str(setting.value)
    if "/" not in text and not (setting.folder / text).exists():
        return _command_on_path(setting, text)
    path = require_path(setting, text, "python")
    for interpreter in (path / "bin" / "python", path / "Scripts" / "python.exe"):
        if interpreter.exists():
            return interpreter
    return path


def _command_on_path(setting: SettingValue, name: str) -> Path:
    command = shutil.which(name)
    if command is None:
        is_version = name[:1].isdigit()
        raise Misconfigured(
            f"`python` names the command `{name}`, which is not on PATH.",
            where=setting.where,
            advice=f"Did you mean `python{name}`?" if is_version else "Install it, or give a path.",
        )
    return Path(command)


def _cache_folder(setting: SettingValue) -> Path | None:
    return None if setting.value is None else setting.folder / Path(str(setting.value)).expanduser()


def _baseline_file(setting: SettingValue) -> Path | None:
    """The file, which need not exist: `migration-gate baseline` makes it."""
    if setting.value is None:
        return None
    file = setting.folder / Path(str(setting.value)).expanduser()
    if file.exists():
        require_shared(setting, file, "baseline")
    return file


def _project_variables(values: MergedSettings) -> dict[str, str]:
    """The variables of `env_file`, in the order of the files, then those of `env`."""
    setting = values.merged["env_file",]
    variables: dict[str, str] = {}
    for text in setting.value:
        file = require_path(setting, text, "env_file")
        variables |= dotenv.read_dotenv(file, values.environ, variables)
    own_variables = values.entries("env")
    for name, value in own_variables.items():
        if value == TO_FILL_IN:
            raise Misconfigured(
                f"`env: {name}` is still `{TO_FILL_IN}`, which stands for a value that only you know.",
                where=values.merged["env", name].where,
                advice="Write a value that the project accepts.",
            )
    return variables | own_variables


def _preparation_steps(setting: SettingValue) -> tuple[PrepareStep, ...]:
    steps = []
    for number, step in enumerate(setting.value):
        assert isinstance(step, PrepareKeys)  # noqa: S101 - tells mypy what validation made of it
        ((kind, text),) = step.model_dump(exclude_none=True).items()
        if kind in ("sql_file", "python"):
            text = str(require_path(setting, text, f"prepare[{number}].{kind}"))
        steps.append(PrepareStep(kind, text))
    return tuple(steps)


def _rows_file(setting: SettingValue) -> Path | None:
    """The file of `rehearsal.sql_file`, which has to be one of the repository's: it is judged with it."""
    if setting.value is None:
        return None
    path = require_path(setting, str(setting.value), "rehearsal.sql_file")
    top = find_repository_root(setting.folder.resolve())
    target = path.resolve()
    if path.is_file() and target.is_relative_to(top) and not target.is_relative_to(top / ".git"):
        return path
    what = "no file" if not path.is_file() else "outside of the repository"
    raise Misconfigured(
        f"`rehearsal.sql_file` names `{setting.value}`, which is {what}.",
        where=setting.where,
        advice="Name a file of the repository.",
    )


def _start_from(setting: SettingValue) -> StartFrom | None:
    keys = setting.value
    if keys is None:
        return None
    assert isinstance(keys, StartFromKeys)  # noqa: S101 - tells mypy what validation made of it
    dump = require_path(setting, keys.dump, "start_from.dump") if keys.dump else None
    return StartFrom(dump, keys.create_all, keys.stamp)
