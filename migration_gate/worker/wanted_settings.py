"""Finds out, from an error before the first revision, which settings the project failed for the want of.

`RULES` are certain: what they find was named by the error, or read by the statement that failed. What only
might help stands in `setting_guesses.py`.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Callable, Optional

from .additions import Additions
from .flask_database import OPTION
from .named_variables import IDENTIFIER, list_named_variables
from .placeholders import is_database_setting, make_text
from .refused_values import try_other_named_value, try_other_value
from .setting_calls import SettingCall, find_setting_calls, parse_file
from .startup_failure import StartupFailure

AWS_ERRORS = ("NoCredentialsError", "PartialCredentialsError", "NoRegionError")
AWS_VARIABLES = {
    "AWS_ACCESS_KEY_ID": "gate",
    "AWS_SECRET_ACCESS_KEY": "gate",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def find_wanted_settings(failure: StartupFailure) -> Optional[Additions]:
    """The additions with what this error asks for; None if it asks for nothing that can be given."""
    if failure.is_about_arguments():
        return None
    for rule in RULES:
        additions = rule(failure)
        if additions is not None:
            return additions
    return None


def _want_settings_fields(failure: StartupFailure) -> Optional[Additions]:
    if failure.additions.settings_fields:
        return None
    if any(error is refusal for error in failure.errors for refusal in failure.refusals):
        return dataclasses.replace(failure.additions, settings_fields=True)
    return None


def _want_options(failure: StartupFailure) -> Optional[Additions]:
    """`%(NAME)s` in the ini, which only the project's own command fills in."""
    for error in failure.errors:
        name = getattr(error, "reference", None)
        if type(error).__name__ == "InterpolationMissingOptionError" and name:
            if name in failure.additions.options:
                return None
            options = {**failure.additions.options, name: make_text(name)}
            return dataclasses.replace(failure.additions, options=options)
    return None


def _want_aws_settings(failure: StartupFailure) -> Optional[Additions]:
    """What boto3 needs to sign something, for which no network is needed."""
    if not any(type(error).__name__ in AWS_ERRORS for error in failure.errors):
        return None
    additions = failure.additions
    for name, value in AWS_VARIABLES.items():
        if name not in os.environ:
            additions = additions.add_variable(name, value)
    return additions if additions != failure.additions else None


def _want_flask_url(failure: StartupFailure) -> Optional[Additions]:
    """What Flask-SQLAlchemy lacks, unless a variable may give it: the project knows more by that one."""
    if OPTION not in failure.text or failure.additions.flask_url:
        return None
    for read in failure.reads.missing_variables().values():
        if is_database_setting(read.name) and failure.is_own_read(read) and read.default is None:
            return None
    return dataclasses.replace(failure.additions, flask_url=True)


def _want_named_variables(failure: StartupFailure) -> Optional[Additions]:
    """Variables that the error names."""
    return _add_variables(failure, list_named_variables(failure))


def _want_read_variables(failure: StartupFailure) -> Optional[Additions]:
    """Variables that the failed statements read in vain."""
    missing = failure.reads.missing_variables().values()
    names = [read.name for read in missing if read.default is None and failure.is_read_by_statement(read)]
    return _add_variables(failure, names)


RULES: tuple[Callable[[StartupFailure], Optional[Additions]], ...] = (
    _want_settings_fields,
    _want_options,
    _want_aws_settings,
    _want_flask_url,
    _want_named_variables,
    try_other_named_value,
    _want_read_variables,
    try_other_value,
)
"""in this order: the first that finds something decides"""


# Values for variables, and for those beside them.


def _add_variables(failure: StartupFailure, names: list[str]) -> Optional[Additions]:
    """The additions with a value for each variable that has none, and for those that are read alike.

    A project that fails for one variable would fail for the next one a line below: the code that reads the
    first shows the others, and one more attempt does for all of them.
    """
    additions = failure.additions
    lacking = [name for name in names if _lacks_variable(additions, name)]
    if not lacking:
        return None
    calls = _find_calls(failure, lacking)
    for name in lacking:
        for call in calls:
            if call.name == name:
                additions = _add_with_similar(additions, call, calls)
        if name not in additions.variables:
            additions = additions.add_variable(name, make_text(name))
    return additions


def _lacks_variable(additions: Additions, name: str) -> bool:
    return name not in os.environ and name not in additions.variables


def _find_calls(failure: StartupFailure, lacking: list[str]) -> list[SettingCall]:
    """What reads settings in the files that the error went through, but for those that may be missing."""
    did_without = {read.name for read in failure.reads.reads if read.kind == "variable"} - set(lacking)
    calls: list[SettingCall] = []
    for file in dict.fromkeys(statement.file for statement in failure.statements):
        tree = parse_file(file)
        if tree is not None:
            calls += find_setting_calls(tree)
    return [call for call in calls if call.name not in did_without]


def _add_with_similar(additions: Additions, call: SettingCall, calls: list[SettingCall]) -> Additions:
    """The additions with what this call reads, and what others read in the same way."""
    additions = _add_call(additions, call)
    for other in calls:
        if other.reader == call.reader and other.is_required and call.is_required:
            additions = _add_call(additions, other)
    return additions


def _add_call(additions: Additions, call: SettingCall) -> Additions:
    if not _lacks_variable(additions, call.name) or not IDENTIFIER.match(call.name):
        return additions
    return additions.add_variable(call.name, make_text(call.name, call.type_name))
