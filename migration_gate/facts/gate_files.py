"""What the files of a repository say about the gate itself: its settings, allowances and CI runs."""

from __future__ import annotations

from migration_gate.facts.location import Location
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class GateSetting:
    """One key of the configuration file, as it is in force for the project."""

    key: str
    """`owners.columns`, `checks.drift`"""
    values: tuple[str, ...]
    """as text; none if it has no value"""
    location: Location | None = None
    """None if no file sets it: the value is the default"""


@dataclass(frozen=True, slots=True)
class AllowanceText:
    """An entry of `allow:`, or a comment that allows findings."""

    check: str
    """`check` or `check/kind`"""
    object: str
    """the pattern of an entry; of a comment, the code that it covers, '' for its whole file"""
    reason: str
    until: str
    """the last day on which it holds, `2027-01-31`; '' without one"""
    location: Location | None
    is_comment: bool = False


@dataclass(frozen=True, slots=True)
class GateTrigger:
    """An event that starts a run of the gate, and what limits it."""

    event: str
    paths: tuple[str, ...] = ()
    """none: of every file"""
    ignored_paths: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    ignored_branches: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GateRun:
    """A place in the files of a CI that runs the gate."""

    name: str
    """`check` for a job of that name; the file where there are no jobs"""
    location: Location
    triggers: tuple[GateTrigger, ...] = ()
    conditions: tuple[str, ...] = ()
    """all of them must hold: `if:` of job and step, `rules:`"""
    is_optional: bool = False
    """a failure of it does not fail the run"""
    reference: str = ""
    """which version runs: what follows `@`, a tag, a version; '' if none is named"""
    inputs: tuple[str, ...] = ()
    """`fail-on: error`, or the command"""


@dataclass(frozen=True, slots=True)
class BaselineLine:
    """An entry of the baseline."""

    id: str
    """of its finding: the same when the finding is worded otherwise"""
    text: str
    location: Location


@dataclass(frozen=True, slots=True)
class GateFiles:
    """All of it, for one project, on one side of a change."""

    configuration: str = ""
    """the file, relative to the repository; '' if there is none"""
    failure: str = ""
    """why the configuration could not be read, as a sentence"""
    settings: tuple[GateSetting, ...] = ()
    allowances: tuple[AllowanceText, ...] = ()
    projects: tuple[str, ...] = ()
    """names of the entries of `projects:`"""
    runs: tuple[GateRun, ...] = ()
    baseline_entries: tuple[BaselineLine, ...] = ()
    """the findings of the baseline, which do not block where the base of a change is not known"""

    def find_setting(self, key: str) -> GateSetting | None:
        """The setting of that key, if it is in force."""
        return next((setting for setting in self.settings if setting.key == key), None)
