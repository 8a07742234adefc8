"""Turns merged values into `Settings`: paths made absolute and checked, variables read, names given."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from migration_gate.check import Severity
from migration_gate.config import dotenv, gate_variables
from migration_gate.config.config_file import Key, format_key
from migration_gate.config.precedence import SettingValue
from migration_gate.config.sections import PrepareKeys, StartFromKeys
from migration_gate.config.settings import Allowance, PrepareStep, Settings, StartFrom
from migration_gate.errors import Misconfigured
from migration_gate.facts import Owners
from migration_gate.wording import nearest_name

CONFIGS = ("alembic.ini", "pyproject.toml")
INSTALLATION = ("install", "python_version", "groups", "extras", "without", "cache")


Merged = Mapping[Key, SettingValue]


@dataclass(frozen=True, slots=True)
class Settling:
    """The merged values of one project."""

    given: Mapping[Key, SettingValue]
    environ: Mapping[str, str]

    def value(self, *key: str) -> object:
        """A merged value."""
        return self.given[key].value

    def text(self, *key: str) -> str | None:
        """A merged text, or None."""
        value = self.value(*key)
        return None if value is None else str(value)

    def texts(self, *key: str) -> tuple[str, ...]:
        """A merged list of texts."""
        value = self.value(*key)
        return tuple(map(str, value)) if isinstance(value, tuple) else ()

    def number(self, *key: str) -> float:
        """A merged number."""
        return float(str(self.value(*key)))

    def names(self, key: str) -> dict[str, str]:
        """The entries of a mapping whose keys are free."""
        return {str(k[1]): str(g.value) for k, g in self.given.items() if k[0] == key and len(k) > 1}

    def path(self, *key: str, folder: bool = False) -> Path | None:
        """A path that exists, absolute; None where it is not set."""
        given = self.given[key]
        return (
            None
            if given.value is None
            else require_path(given, str(given.value), format_key(key), folder=folder)
        )


def require_path(given: SettingValue, text: str, key: str, *, folder: bool = False) -> Path:
    """The absolute path that a setting names; Misconfigured when nothing of the kind is there."""
    path = given.folder / Path(text).expanduser()
    try:
        if path.is_dir() if folder else path.exists():
            return path
        around = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
    except OSError as error:
        raise Misconfigured(
            f"`{key}` names `{text}`, which cannot be looked at: {error.strerror}.",
            where=given.where,
            advice="Mend the permissions, or name another path.",
        ) from error
    kind = "folder" if folder else "file"
    close = nearest_name(path.name, around)
    start = f"Relative paths start at `{given.folder}`."
    meant = Path(text).parent / close if close else None
    raise Misconfigured(
        f"`{key}` names the {kind} `{text}`, which does not exist.",
        where=given.where,
        advice=f"Did you mean `{meant}`? {start}" if meant else start,
    )


def resolve_settings(
    name: str, root: Path, directory: Path, merged: Merged, environ: Mapping[str, str]
) -> Settings:
    """One project's settings; Misconfigured where a value does not fit what is on disk."""
    ask = Settling(merged, environ)
    return Settings(
        name=name,
        root=root,
        working_directory=ask.path("working_directory", folder=True) or directory,
        project_folder=directory,
        alembic=_config(merged[("alembic", "config")], ask.path("alembic", "config")),
        section=str(ask.value("alembic", "section")),
        flask_app=ask.text("flask_app"),
        hook=ask.path("hook"),
        python=_python(merged[("python",)]),
        install=ask.text("install") or ("auto" if environ.get(gate_variables.IMAGE_VARIABLE) else "off"),
        python_version=ask.text("python_version"),
        groups=ask.texts("groups"),
        extras=ask.texts("extras"),
        without=ask.texts("without"),
        cache=_cache(merged[("cache",)]),
        env=tuple(_env(ask).items()),
        prepare=_prepare(merged[("prepare",)]),
        target=ask.texts("target", "revision"),
        x_arguments=(*ask.texts("x"), *ask.texts("target", "x")),
        start_from=_start(merged[("start_from",)]),
        postgres=str(ask.value("postgres")),
        network=bool(ask.value("network")),
        run_seconds=ask.number("limits", "run"),
        statement_seconds=ask.number("limits", "statement"),
        import_seconds=ask.number("limits", "import"),
        install_seconds=ask.number("limits", "install"),
        base=ask.text("base"),
        watch=ask.texts("watch"),
        snapshots=str(ask.value("snapshots")),
        raw_sql_allow=ask.texts("raw_sql", "allow"),
        owners=_owners(ask),
        checks=tuple((check, _severity(level)) for check, level in ask.names("checks").items()),
        allowances=_allow(merged[("allow",)]),
        fail_on=Severity(str(ask.value("fail_on"))),
        origins=tuple((format_key(key), given.where) for key, given in merged.items()),
    )


def _allow(given: SettingValue) -> tuple[Allowance, ...]:
    return tuple(
        Allowance(each.check, each.reason, each.object, each.until, given.at(("allow", number)))
        for number, each in enumerate(given.value)
    )


def _owners(ask: Settling) -> Owners:
    return Owners(
        columns=ask.texts("owners", "columns"),
        tables=ask.texts("owners", "tables"),
        exempt=ask.texts("owners", "exempt"),
        references=ask.text("owners", "references"),
        every_reference=bool(ask.value("owners", "every_reference")),
        on_delete=ask.texts("owners", "on_delete"),
    )


def _severity(level: str) -> Severity | None:
    return None if level == "off" else Severity(level)


def _config(given: SettingValue, path: Path | None) -> Path | None:
    """The configuration file itself, where its folder was named."""
    if path is None or not path.is_dir():
        return path
    for name in CONFIGS:
        if (path / name).is_file():
            return path / name
    raise Misconfigured(
        f"`alembic` names the folder `{given.value}`, which holds neither {' nor '.join(CONFIGS)}.",
        where=given.where,
        advice="Name the file.",
    )


def _python(given: SettingValue) -> Path | None:
    if given.value is None:
        return None
    text = str(given.value)
    if "/" not in text and not (given.folder / text).exists():
        command = shutil.which(text)
        if command is None:
            advice = f"Did you mean `python{text}`?" if text[:1].isdigit() else "Install it, or give a path."
            raise Misconfigured(
                f"`python` names the command `{text}`, which is not on PATH.",
                where=given.where,
                advice=advice,
            )
        return Path(command)
    path = require_path(given, text, "python")
    for inside in (path / "bin" / "python", path / "Scripts" / "python.exe"):
        if inside.exists():  # a virtual environment was named, its interpreter was meant
            return inside
    return path


def _cache(given: SettingValue) -> Path | None:
    return None if given.value is None else given.folder / Path(str(given.value)).expanduser()


def _env(ask: Settling) -> dict[str, str]:
    given = ask.given[("env_file",)]
    found: dict[str, str] = {}
    for text in given.value:
        found |= dotenv.read_dotenv(require_path(given, text, "env_file"), ask.environ, found)
    return found | ask.names("env")


def _prepare(given: SettingValue) -> tuple[PrepareStep, ...]:
    steps = []
    for number, step in enumerate(given.value):
        assert isinstance(step, PrepareKeys)  # noqa: S101 - tells mypy what validation made of it
        ((kind, text),) = step.model_dump(exclude_none=True).items()
        if kind in ("sql_file", "python"):
            text = str(require_path(given, text, f"prepare[{number}].{kind}"))
        steps.append(PrepareStep(kind, text))
    return tuple(steps)


def _start(given: SettingValue) -> StartFrom | None:
    keys = given.value
    if keys is None:
        return None
    assert isinstance(keys, StartFromKeys)  # noqa: S101 - tells mypy what validation made of it
    dump = require_path(given, keys.dump, "start_from.dump") if keys.dump else None
    return StartFrom(dump, keys.create_all, keys.stamp)


def describe_settings(settings: Settings) -> dict[str, str]:
    """Each key's value as text, without passwords and without the values of variables."""
    owners, start = settings.owners, settings.start_from
    found: dict[str, object] = {
        "alembic.config": settings.alembic,
        "alembic.section": settings.section,
        "flask_app": settings.flask_app,
        "hook": settings.hook,
        "python": settings.python,
        "working_directory": settings.working_directory,
        "env_file": "read" if settings.env else None,
        "prepare": [f"{step.kind}: {step.text}" for step in settings.prepare],
        "target.revision": settings.target,
        "target.x": None,
        "x": settings.x_arguments,
        "start_from": None if start is None else start.dump or f"create_all at {start.create_all}",
        "postgres": re.sub(r"(://[^:/@\s]*):[^@\s]*@", r"\1:***@", settings.postgres),
        "network": settings.network,
        "base": settings.base,
        "watch": settings.watch,
        "snapshots": settings.snapshots,
        "raw_sql.allow": settings.raw_sql_allow,
        "owners.columns": owners.columns,
        "owners.tables": owners.tables,
        "owners.exempt": owners.exempt,
        "owners.references": owners.references,
        "owners.every_reference": owners.every_reference,
        "owners.on_delete": owners.on_delete,
        "allow": [f"{each.check} {each.object}" for each in settings.allowances],
        "fail_on": settings.fail_on.value,
    }
    found |= {key: getattr(settings, key) for key in INSTALLATION}
    limits = {"run": settings.run_seconds, "statement": settings.statement_seconds}
    limits |= {"import": settings.import_seconds, "install": settings.install_seconds}
    found |= {f"limits.{name}": f"{seconds:g} s" for name, seconds in limits.items()}
    found |= {f"env.{name}": "(hidden)" for name, _ in settings.env}
    found |= {f"checks.{name}": level.value if level else "off" for name, level in settings.checks}
    return {key: _shown(value) for key, value in found.items()}


def _shown(value: object) -> str:
    if value is None or value in ((), []):
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
