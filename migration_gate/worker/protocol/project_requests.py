"""Lines on what the project asked for: databases, and settings that it did not get."""

from __future__ import annotations

from typing import Literal, Optional

from ..deferred_methods import dataclass

SettingKind = Literal["variable", "field", "option", "flask", "x", "attribute", "config"]
"""of the environment, of a settings class (by the variable that would give it), of the configuration's
section, an `-x` argument, an attribute of the configuration"""
Interception = Literal["url", "creator", "driver"]
"""what intercepted a connection: SQLAlchemy's event, an engine with a creator, the driver's own connect"""
Outcome = Literal["redirected", "swapped", "refused"]
"""sent to the ephemeral server; the dialect was replaced by PostgreSQL; not allowed"""


@dataclass(frozen=True)
class MissingSetting:
    """A setting that the project asked for in vain."""

    kind: SettingKind
    name: str
    example: str = ""
    """a value of the form that it may have; '' if none is known"""
    default: Optional[str] = None
    """what the project's code takes instead"""
    place: str = ""
    """`file:line` of the project's that asks for it; the file below the working directory, else absolute"""
    guessed_in_vain: bool = False
    """the project did not come further when it, and others like it, had dummy values"""


@dataclass(frozen=True)
class ConnectionRequested:
    """The project asked for a connection; each kind is sent once."""

    dialect: str
    driver: str
    address: str
    """what it named, `host:port/database`, without a password"""
    intercepted_by: Interception
    outcome: Outcome
    kind: Literal["connection"] = "connection"


@dataclass(frozen=True)
class SettingSupplied:
    """The project failed for the want of a setting, and runs with a dummy value."""

    setting: SettingKind
    name: str
    value: str
    instead_of: str = ""
    """what the project's code takes if it is not set"""
    place: str = ""
    """as that of a `MissingSetting`"""
    kind: Literal["setting_supplied"] = "setting_supplied"


@dataclass(frozen=True)
class DatabasesFound:
    """env.py migrates several databases, of which the gate did not know; the run ends."""

    addresses: tuple[str, ...]
    """`host:port/database`, as far as they are known"""
    judged: tuple[str, ...]
    """those with models of their own"""
    kind: Literal["databases_found"] = "databases_found"
