"""What env.py did: the contexts that it configured, and the connections that it opened."""

from __future__ import annotations

from typing import Literal

from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class MigrationContext:
    """A context of env.py that ran migrations; a loop over tenants or databases has several."""

    number: int
    """from 1"""
    starting_heads: tuple[str, ...] = ()
    """what its version table held before its first revision"""
    has_metadata: bool = True
    """it has a target_metadata"""
    default_schema: str = "public"
    """where a table without a schema is: that of a tenant, where env.py loops over these"""


@dataclass(frozen=True, slots=True)
class StepKeyword:
    """What env.py gives to the functions of the revisions: `context.run_migrations(engine_name="events")`."""

    name: str
    value: str | None
    """None if it is no text"""


@dataclass(frozen=True, slots=True)
class StepKeywords:
    """Everything that the functions of the revisions are given in one context of env.py."""

    keywords: tuple[StepKeyword, ...]
    is_judged: bool = True
    """for a database that has the models which this run compares"""

    def find_value(self, name: str) -> str | None:
        """The value of the keyword, if it is given and is text."""
        return next((keyword.value for keyword in self.keywords if keyword.name == name), None)


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection that the project's code opened; passwords are not recorded."""

    dialect: str
    driver: str
    requested_address: str
    """`host:port/database` that the code named"""
    intercepted_by: Literal["url", "creator", "pool", "driver"]
    """the layer that intercepted it"""
    outcome: Literal["redirected", "swapped", "refused"]
    """swapped: another dialect's connection, replaced by one to our server"""
