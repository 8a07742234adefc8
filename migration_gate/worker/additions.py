"""What a run of the project is given beyond what the user said."""

from __future__ import annotations

import dataclasses
from dataclasses import field
from typing import Optional, Sequence

from .deferred_methods import dataclass
from .placeholders import make_text, make_text_instead_of


@dataclass(frozen=True)
class Additions:
    """Dummy settings of one run; without any, the run is the one that the user asked for."""

    variables: dict[str, str] = field(default_factory=dict)
    tried: dict[str, list[str]] = field(default_factory=dict)
    """values that a variable had in earlier runs, and that did not do; last the one that was changed last"""
    options: dict[str, str] = field(default_factory=dict)
    """of the configuration's section, for `%(NAME)s`"""
    url: bool = False
    """a `sqlalchemy.url` in the configuration"""
    command_line: bool = False
    """`cmd_opts`, as the command `alembic` sets them"""
    replaced: dict[str, str] = field(default_factory=dict)
    """what the project's code takes if a variable is not set"""
    flask_url: bool = False
    """a `SQLALCHEMY_DATABASE_URI` in the configuration of a Flask application"""
    guessed_in_vain: list[str] = field(default_factory=list)
    """variables whose dummy values, all at once, did not help"""
    settings_fields: bool = False
    """values for the required fields of pydantic's settings classes"""
    history: Optional[str] = None
    """the folders of the history that is replayed, if an earlier run has told them"""

    def add_variable(self, name: str, value: str) -> Additions:
        """The same with one more variable, or another value for it."""
        tried = dict(self.tried)
        if name in self.variables:
            tried[name] = [*tried.pop(name, []), self.variables[name]]
        return dataclasses.replace(self, variables={**self.variables, name: value}, tried=tried)

    def without(self, names: Sequence[str]) -> Additions:
        """The same without these variables, of which no value did."""
        kept = {name: value for name, value in self.variables.items() if name not in names}
        refused = {
            name: [*self.tried.get(name, []), self.variables[name]]
            for name in set(self.variables) - set(kept)
        }
        return dataclasses.replace(self, variables=kept, tried={**self.tried, **refused})

    def suggest_example(self, name: str) -> str:
        """A value for a variable that is not set; '' if such ones were tried, and did not do."""
        return "" if self.tried.get(name) else make_text(name)

    def replace_default(self, name: str, default: Optional[str]) -> Additions:
        """The same with a variable of the form of the default that the project's code has for it."""
        additions = self.add_variable(name, make_text_instead_of(default, name))
        return dataclasses.replace(additions, replaced={**self.replaced, name: default or ""})
