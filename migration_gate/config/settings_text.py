"""The settings as text for people, without secrets."""

from __future__ import annotations

import re

from migration_gate.config.settings import Settings, StartFrom
from migration_gate.config.size_text import SizeText, format_size
from migration_gate.facts import TableSizes

PASSWORD_OF_USER = re.compile(r"(//[^:/?#@\s]*):\S*@")
"""`//user:password@`; a password may hold another `@`"""
PASSWORD_PARAMETER = re.compile(r"(password=)[^&\s]*")


def describe_settings(settings: Settings) -> dict[str, str]:
    """Each key's value as text, without passwords and without the values of variables."""
    owners = settings.owners
    values: dict[str, object] = {
        "alembic.config": settings.alembic,
        "alembic.section": settings.section,
        "flask_app": settings.flask_app,
        "hook": settings.hook,
        "python": settings.python,
        "working_directory": settings.working_directory,
        "install": settings.install,
        "python_version": settings.python_version,
        "groups": settings.groups,
        "extras": settings.extras,
        "without": settings.without,
        "cache": settings.cache,
        "limits.run": _describe_seconds(settings.run_seconds),
        "limits.statement": _describe_seconds(settings.statement_seconds),
        "limits.import": _describe_seconds(settings.import_seconds),
        "limits.install": _describe_seconds(settings.install_seconds),
        "env_file": "read" if settings.env else None,
        "prepare": [f"{step.kind}: {step.text}" for step in settings.prepare],
        "target.revision": settings.target,
        "target.x": None,
        "x": settings.x_arguments,
        "start_from": _describe_start(settings.start_from),
        "postgres": tuple(map(hide_password, (settings.postgres, *settings.further_postgres))),
        "network": settings.network,
        "base": settings.base,
        "scope": settings.scope,
        "baseline": settings.baseline,
        "policy": settings.policy,
        "watch": settings.watch,
        "snapshots": settings.snapshots,
        "rollback": settings.rollback,
        "observe": settings.observe,
        "rehearsal.sql_file": settings.rehearsal_sql,
        "rehearsal.python": settings.rehearsal_function,
        "squawk": settings.squawk,
        "checkpoint": settings.checkpoint,
        "sizes": settings.sizes_file,
        "small_table": _describe_limit(settings.sizes),
        "raw_sql.allow": settings.raw_sql_allow,
        "owners.columns": owners.columns,
        "owners.tables": owners.tables,
        "owners.exempt": owners.exempt,
        "owners.references": owners.references,
        "owners.every_reference": owners.every_reference,
        "owners.on_delete": owners.on_delete,
        "allow": [f"{allowance.check} {allowance.object}" for allowance in settings.allowances],
        "forbid_allow": settings.forbid_allow,
        "fail_on": settings.fail_on.value,
    }
    values |= {f"env.{variable.name}": "(hidden)" for variable in settings.env}
    values |= {f"checks.{item.check}": item.severity or "off" for item in settings.checks}
    values |= {f"tables.{name}": _describe_size(settings.sizes, name) for name in settings.sizes.configured}
    return {key: _describe_value(value) for key, value in values.items()}


def hide_password(url: str) -> str:
    """A URL without its password, whether it stands before the host or is a parameter."""
    return PASSWORD_PARAMETER.sub(r"\1***", PASSWORD_OF_USER.sub(r"\1:***@", url, count=1))


def _describe_start(start: StartFrom | None) -> object:
    if start is None:
        return None
    return start.dump or f"create_all at {start.create_all}"


def _describe_limit(sizes: TableSizes) -> str:
    return format_size(SizeText(sizes.small_rows, sizes.small_bytes)) or "off"


def _describe_size(sizes: TableSizes, name: str) -> str:
    sized = next(table for table in sizes.tables if str(table) == name)
    return format_size(SizeText(sized.rows, sized.bytes))


def _describe_seconds(seconds: float) -> str:
    return f"{seconds:g} s"


def _describe_value(value: object) -> str:
    if value is None or value in ((), []):
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
