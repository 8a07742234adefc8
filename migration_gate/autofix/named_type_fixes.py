"""Domains, composite types and ranges: created and dropped; of domains, each property changed."""

from __future__ import annotations

import re
from collections.abc import Mapping

from migration_gate.autofix.execute_call import execute_call, execute_calls
from migration_gate.facts import NamedType
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import qualified_name

_DOMAIN = re.compile(
    r"^AS (?P<base>.*?)(?: DEFAULT (?P<default>.*?))?(?P<not_null> NOT NULL)?"
    r"(?P<checks>(?: CONSTRAINT .*)?)$",
    re.DOTALL,
)
_CHECK = re.compile(
    r'CONSTRAINT ("(?:[^"]|"")*"|\S+) (CHECK .*?)(?= CONSTRAINT (?:"|\S+ CHECK)|$)', re.DOTALL
)


@dataclass(frozen=True, slots=True)
class DomainDefinition:
    """A domain's definition in its parts."""

    base: str
    default: str | None
    not_null: bool
    checks: Mapping[str, str]
    """by name, both as Postgres prints them"""


def fix_named_type(current: NamedType | None, target: NamedType | None) -> list[str]:
    """The lines that turn the one type into the other; none if Postgres cannot."""
    if current is None or target is None:
        return [*_drop_type(current), *_create_type(target)]
    if current.kind != "domain" or target.kind != "domain":
        return []
    current_definition, target_definition = _parse_domain(current), _parse_domain(target)
    if current_definition is None or target_definition is None:
        return []
    if current_definition.base != target_definition.base:
        return []
    changes = [
        *change_domain_default(current_definition, target_definition),
        *change_domain_nullability(current_definition, target_definition),
        *change_domain_checks(current_definition, target_definition),
    ]
    name = qualified_name(current.schema, current.name)
    return execute_calls([f"ALTER DOMAIN {name} {change}" for change in changes])


def _create_type(named_type: NamedType | None) -> list[str]:
    if named_type is None:
        return []
    noun = "DOMAIN" if named_type.kind == "domain" else "TYPE"
    name = qualified_name(named_type.schema, named_type.name)
    return [execute_call(f"CREATE {noun} {name} {named_type.definition}")]


def _drop_type(named_type: NamedType | None) -> list[str]:
    if named_type is None:
        return []
    noun = "DOMAIN" if named_type.kind == "domain" else "TYPE"
    return [execute_call(f"DROP {noun} {qualified_name(named_type.schema, named_type.name)}")]


def _parse_domain(domain: NamedType) -> DomainDefinition | None:
    """The parts of what follows the name in CREATE DOMAIN."""
    match = _DOMAIN.match(domain.definition)
    if match is None:
        return None
    return DomainDefinition(
        base=match["base"],
        default=match["default"],
        not_null=match["not_null"] is not None,
        checks=dict(_CHECK.findall(match["checks"])),
    )


def change_domain_default(current: DomainDefinition, target: DomainDefinition) -> list[str]:
    """Its default; what follows ALTER DOMAIN and its name."""
    if current.default == target.default:
        return []
    return [f"SET DEFAULT {target.default}" if target.default else "DROP DEFAULT"]


def change_domain_nullability(current: DomainDefinition, target: DomainDefinition) -> list[str]:
    """Whether it accepts NULL; what follows ALTER DOMAIN and its name."""
    if current.not_null == target.not_null:
        return []
    return ["SET NOT NULL" if target.not_null else "DROP NOT NULL"]


def change_domain_checks(current: DomainDefinition, target: DomainDefinition) -> list[str]:
    """Its constraints; what follows ALTER DOMAIN and its name."""
    removed = [name for name, check in current.checks.items() if target.checks.get(name) != check]
    added = [name for name, check in target.checks.items() if current.checks.get(name) != check]
    return [
        *(f"DROP CONSTRAINT {name}" for name in removed),
        *(f"ADD CONSTRAINT {name} {target.checks[name]}" for name in added),
    ]
