"""Finds out, from an error before the first revision, which settings the project failed for the want of.

`RULES` are certain: what they find was named by the error, or read by the statement that failed. A guess
(`guess_wants`) is what might help, and is taken back where it did not.
"""

from __future__ import annotations

import dataclasses
import enum
import linecache
import os
import re
import traceback
from dataclasses import dataclass, field
from typing import Any, Callable, Iterator, Optional, Sequence

from .placeholders import (
    ASYNC_URL,
    OTHER_DATABASES,
    PLACEHOLDER_URL,
    QUOTED_WORD,
    is_database_setting,
    make_text,
    suggest_texts,
)
from .setting_calls import SettingCall, find_setting_calls, find_statement_lines, parse_file
from .setting_reads import SettingRead, SettingReads

CONFIGURATION_LIBRARIES = (
    "decouple",
    "environs",
    "environ",
    "starlette",
    "dynaconf",
    "prettyconf",
    "everett",
)
UPPER_CASE = re.compile(r"^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$")
UPPER_CASE_WORD = re.compile(r"(?<![\w.])[A-Z][A-Z0-9]*(?:_+[A-Z0-9]+)*(?![\w.])")
COMPARISON = re.compile(r"\b(?:not )?in\s*(?=[\[({])|[!=]=")
"""of a value with what it may be; what stands after it are the values"""
NEAR_LINES = 20
AWS_ERRORS = ("NoCredentialsError", "PartialCredentialsError", "NoRegionError")
AWS_VARIABLES = {
    "AWS_ACCESS_KEY_ID": "gate",
    "AWS_SECRET_ACCESS_KEY": "gate",
    "AWS_DEFAULT_REGION": "us-east-1",
}
URL_READERS = ("get_main_option", "get_section", "engine_from_config")
DATABASE_URL_COMPLAINT = re.compile(
    r"parse (SQLAlchemy|rfc1738) URL|Can't load plugin: sqlalchemy\.dialects|Could not parse .*URL"
)
IDENTIFIER = re.compile(r"^[A-Za-z_]\w*$")
DYNACONF_NAME = re.compile(r"^(\w[\w.]*) (?:is required|must)|no attribute '(\w+)'|^([A-Z]\w*)$")


@dataclass(frozen=True)
class Additions:
    """What a run is given beyond what the user said."""

    variables: dict[str, str] = field(default_factory=dict)
    tried: dict[str, list[str]] = field(default_factory=dict)
    """values that a variable had in earlier runs, and that did not do"""
    options: dict[str, str] = field(default_factory=dict)
    """of the configuration's section, for `%(NAME)s`"""
    url: bool = False
    """a `sqlalchemy.url` in the configuration"""
    command_line: bool = False
    """`cmd_opts`, as the command `alembic` sets them"""
    replaced: dict[str, str] = field(default_factory=dict)
    """what the project's code takes where a variable is not set"""
    settings_fields: bool = False
    """values for the required fields of pydantic's settings classes"""

    def add_variable(self, name: str, value: str) -> Additions:
        """The same with one more variable, or another value for it."""
        tried = dict(self.tried)
        if name in self.variables:
            tried[name] = [*tried.get(name, []), self.variables[name]]
        return dataclasses.replace(self, variables={**self.variables, name: value}, tried=tried)

    def without(self, names: Sequence[str]) -> Additions:
        """The same without these variables."""
        kept = {name: value for name, value in self.variables.items() if name not in names}
        return dataclasses.replace(self, variables=kept)

    def replace_default(self, name: str, default: Optional[str]) -> Additions:
        """The same with a variable of the form of the default that the project's code has for it."""
        additions = self.add_variable(name, _value_instead_of(default, name))
        return dataclasses.replace(additions, replaced={**self.replaced, name: default or ""})


@dataclass(frozen=True)
class Situation:
    """An error, and what is known of the run that it ended."""

    errors: tuple[BaseException, ...]
    """the error and what it was raised from, outermost first"""
    reads: SettingReads
    additions: Additions
    refusals: Sequence[BaseException]
    """errors of settings classes for the want of a field"""
    places: tuple[tuple[str, range], ...]
    """file and lines of the statements that the error went through, innermost first"""
    is_project_file: Callable[[str], bool]

    @property
    def text(self) -> str:
        """What the errors say, and of what kind they are."""
        return "\n".join("%s: %s" % (type(error).__name__, describe(error)) for error in self.errors)


def describe(error: BaseException) -> str:
    """An exception's own words; '' where it cannot print itself."""
    try:
        return str(error.code) if isinstance(error, SystemExit) else str(error)
    except Exception:
        return ""


def build_situation(
    error: BaseException,
    reads: SettingReads,
    additions: Additions,
    refusals: Sequence[BaseException],
    is_project_file: Callable[[str], bool],
) -> Situation:
    """What the rules look at."""
    errors = tuple(_list_chain(error))
    places: list[tuple[str, range]] = []
    for part in errors:
        for frame, line in reversed(list(traceback.walk_tb(part.__traceback__))):
            file = os.path.abspath(frame.f_code.co_filename)
            if is_project_file(file) and not _is_import(file, line):
                places.append((file, _statement_lines(file, line)))
    return Situation(errors, reads, additions, refusals, tuple(places), is_project_file)


def _list_chain(error: Optional[BaseException]) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _is_import(file: str, line: int) -> bool:
    """An import statement passes on what failed in a module, which has a frame of its own."""
    return bool(re.match(r"\s*(import|from)\s", linecache.getline(file, line)))


def _statement_lines(file: str, line: int) -> range:
    tree = parse_file(file)
    return range(line, line + 1) if tree is None else find_statement_lines(tree, line)


def find_wants(situation: Situation) -> Optional[Additions]:
    """The additions with what this error asks for; None where it asks for nothing that can be given."""
    if _is_about_arguments(situation):
        return None
    for rule in RULES:
        additions = rule(situation)
        if additions is not None:
            return additions
    return None


def _is_about_arguments(situation: Situation) -> bool:
    """The error is for the want of an `-x` argument or of what a program sets: nothing to be made up."""
    names = {*situation.reads.names("x"), *situation.reads.names("attribute")}
    return any(
        isinstance(error, (KeyError, IndexError)) and error.args and str(error.args[0]) in names
        for error in situation.errors
    ) or bool(re.search(r"(?<![\w-])-x\b", situation.text))


def without_vain_values(situation: Situation) -> Additions:
    """The additions without variables of which no value did: the error for the want of them says more."""
    return situation.additions.without(_list_complained(situation))


def _want_settings_fields(situation: Situation) -> Optional[Additions]:
    if situation.additions.settings_fields:
        return None
    if any(error is refusal for error in situation.errors for refusal in situation.refusals):
        return dataclasses.replace(situation.additions, settings_fields=True)
    return None


def _want_options(situation: Situation) -> Optional[Additions]:
    """`%(NAME)s` in the ini, which only the project's own command fills in."""
    for error in situation.errors:
        name = getattr(error, "reference", None)
        if type(error).__name__ == "InterpolationMissingOptionError" and name:
            if name in situation.additions.options:
                return None
            options = {**situation.additions.options, name: make_text(name)}
            return dataclasses.replace(situation.additions, options=options)
    return None


def _want_aws_settings(situation: Situation) -> Optional[Additions]:
    """What boto3 needs to sign something, for which no network is needed."""
    if not any(type(error).__name__ in AWS_ERRORS for error in situation.errors):
        return None
    additions = situation.additions
    for name, value in AWS_VARIABLES.items():
        if name not in os.environ:
            additions = additions.add_variable(name, value)
    return additions if additions != situation.additions else None


def _want_named_variables(situation: Situation) -> Optional[Additions]:
    """Variables that the error names."""
    names = list(dict.fromkeys((*_names_in_key_errors(situation), *_names_in_messages(situation))))
    return _add_new(situation, names)


def _names_in_key_errors(situation: Situation) -> Iterator[str]:
    missing = situation.reads.missing_variables()
    for error in situation.errors:
        name = error.args[0] if isinstance(error, KeyError) and error.args else None
        if isinstance(name, str) and IDENTIFIER.match(name) and (name in missing or UPPER_CASE.match(name)):
            yield name


def _names_in_messages(situation: Situation) -> Iterator[str]:
    missing = situation.reads.missing_variables()
    for error in situation.errors:
        text = describe(error)
        yield from (name for name in missing if re.search(r"(?<!\w)%s(?!\w)" % re.escape(name), text))
        library = type(error).__module__.partition(".")[0]
        if library == "dynaconf" or _is_raised_by(error, ("dynaconf",)):
            yield from _dynaconf_names(error)
        elif library in CONFIGURATION_LIBRARIES or _is_raised_by(error, CONFIGURATION_LIBRARIES):
            yield from UPPER_CASE_WORD.findall(text)


def _is_dynaconf_object(value: Any) -> bool:
    return value is not None and type(value).__module__.startswith("dynaconf")


def _is_raised_by(error: BaseException, libraries: tuple[str, ...]) -> bool:
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    module = frames[-1].f_globals.get("__name__", "") if frames else ""
    return module.partition(".")[0] in libraries


def _dynaconf_names(error: BaseException) -> Iterator[str]:
    """The variables of dynaconf's settings: its prefix, and `__` for a dot."""
    match = DYNACONF_NAME.search(describe(error))
    if match is None:
        return
    prefix = "DYNACONF"
    for frame, _ in traceback.walk_tb(error.__traceback__):
        for value in (*frame.f_locals.values(), *frame.f_globals.values()):
            prefix = _dynaconf_prefix(value, prefix)
    name = (match[1] or match[2] or match[3]).upper().replace(".", "__")
    yield "%s_%s" % (prefix, name) if prefix else name


def _dynaconf_prefix(value: Any, prefix: str) -> str:
    """The prefix that a settings object of dynaconf's names; the given one for anything else."""
    if not _is_dynaconf_object(value):
        return prefix
    attributes = getattr(value, "__dict__", {})  # its own attributes would run the validators again
    for values in (attributes, attributes.get("_kwargs") or {}):
        if "ENVVAR_PREFIX_FOR_DYNACONF" in values:
            given = values["ENVVAR_PREFIX_FOR_DYNACONF"]
            return "" if given in (False, None) else str(given)
    return prefix


def _want_read_variables(situation: Situation) -> Optional[Additions]:
    """Variables that the failed statements read in vain."""
    missing = situation.reads.missing_variables().values()
    names = [read.name for read in missing if read.default is None and _is_read_at(read, situation)]
    return _add_new(situation, names)


def _is_read_at(read: SettingRead, situation: Situation) -> bool:
    if not any(situation.is_project_file(caller.file) for caller in read.callers[:1]):
        return False  # a library's own settings, which have defaults
    callers = {(caller.file, caller.line) for caller in read.callers}
    own = [place for place in situation.places[:2] if place[1]]
    return any(file == caller and line in lines for file, lines in own for caller, line in callers)


def _want_other_values(situation: Situation) -> Optional[Additions]:
    """Other values for variables that this run was given, where the error complains of one."""
    additions = situation.additions
    for name in dict.fromkeys(_list_complained(situation)):
        used = (additions.variables[name], *additions.tried.get(name, ()))
        suggested = suggest_texts(name, situation.text.replace(used[0], ""))
        for text in (*_enum_values(situation), *_list_compared_words(situation), *suggested):
            if text not in (name, *used):
                return additions.add_variable(name, text)
    return None


def _list_compared_words(situation: Situation) -> Iterator[str]:
    """The words in quotes that the failed statement, or the line above it, compares a value with."""
    if not situation.places:
        return
    file, lines = situation.places[0]
    for number in range(max(lines.start - 1, 1), lines.stop):
        text = linecache.getline(file, number)
        comparison = COMPARISON.search(text)
        if comparison:
            yield from QUOTED_WORD.findall(text, comparison.end())


def _list_complained(situation: Situation) -> list[str]:
    """Variables of this run that the error may be about, by the surest sign that there is."""
    given, text = situation.additions.variables, situation.text
    named = [name for name in given if re.search(r"(?<!\w)%s(?!\w)" % re.escape(name), text)]
    if named:
        return named
    shown = [name for name, value in given.items() if len(value) > 5 and value in text]
    if shown:
        return shown
    reads = situation.reads.reads
    read_there = [read.name for read in reads if read.name in given and _is_read_at(read, situation)]
    if read_there:
        return read_there
    if DATABASE_URL_COMPLAINT.search(text):
        return [name for name, value in given.items() if not value.startswith("postgresql")][::-1]
    return _list_read_shortly_before(situation)


def _list_read_shortly_before(situation: Situation) -> list[str]:
    """The variable of this run that was read last in the file that failed, above the failed statement."""
    if not situation.places:
        return []
    file, lines = situation.places[0]
    above = [
        (caller.line, read.name)
        for read in situation.reads.reads
        if read.name in situation.additions.variables
        for caller in read.callers[:2]
        if caller.file == file and lines.start - NEAR_LINES <= caller.line < lines.start
    ]
    return [max(above)[1]] if above else []


def _enum_values(situation: Situation) -> Iterator[str]:
    """Values of the enum that refused one."""
    for error in situation.errors:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            class_ = frame.f_locals.get("cls")
            if isinstance(class_, type) and issubclass(class_, enum.Enum):
                yield from (str(member.value) for member in class_)


RULES: tuple[Callable[[Situation], Optional[Additions]], ...] = (
    _want_settings_fields,
    _want_options,
    _want_aws_settings,
    _want_named_variables,
    _want_other_values,
    _want_read_variables,
)
"""in this order: the first that finds something decides"""


def _add_new(situation: Situation, names: list[str]) -> Optional[Additions]:
    """The additions with a value for each variable that has none, and for those that are read alike."""
    additions = situation.additions
    new = [name for name in names if name not in os.environ and name not in additions.variables]
    if not new:
        return None
    done_without = {read.name for read in situation.reads.reads if read.kind == "variable"} - set(new)
    calls = [call for call in _find_calls(situation) if call.name not in done_without]
    for name in new:
        for call in [call for call in calls if call.name == name]:
            additions = _add_call(additions, call)
            for other in calls:
                if other.reader == call.reader and other.is_required and call.is_required:
                    additions = _add_call(additions, other)
        if name not in additions.variables:
            additions = additions.add_variable(name, make_text(name))
    return additions


def _add_call(additions: Additions, call: SettingCall) -> Additions:
    if call.name in os.environ or call.name in additions.variables or not IDENTIFIER.match(call.name):
        return additions
    return additions.add_variable(call.name, make_text(call.name, call.type_name))


def _find_calls(situation: Situation) -> list[SettingCall]:
    calls: list[SettingCall] = []
    for file in dict.fromkeys(file for file, _ in situation.places):
        tree = parse_file(file)
        calls += find_setting_calls(tree) if tree is not None else []
    return calls


# Guesses.


def guess_wants(situation: Situation, *, lacks_url: bool, lacks_command_line: bool) -> Optional[Additions]:
    """The additions with all that was asked for in vain and may be what this error is about."""
    if _is_about_arguments(situation):
        return None
    additions = situation.additions
    files = {file for file, _ in situation.places}
    for read in situation.reads.missing_variables().values():
        if read.name not in additions.variables and _may_help(read, files, situation.is_project_file):
            additions = additions.replace_default(read.name, read.default)
    is_other_guess = additions == situation.additions
    failed_text = _failed_source(situation)
    additions = dataclasses.replace(
        additions,
        url=additions.url or (lacks_url and (is_other_guess or _mentions(failed_text, URL_READERS))),
        command_line=additions.command_line
        or (lacks_command_line and (is_other_guess or "cmd_opts" in failed_text)),
    )
    return additions if additions != situation.additions else None


def _value_instead_of(default: Optional[str], name: str) -> str:
    """A value of the form of the default, on PostgreSQL."""
    if default is not None and "://" in default:
        return ASYNC_URL if "+aio" in default or "+async" in default else PLACEHOLDER_URL
    return make_text(name)


def _failed_source(situation: Situation) -> str:
    """The text of the statement that failed, in the project's innermost frame."""
    file, lines = situation.places[0] if situation.places else ("", range(0))
    return "".join(linecache.getline(file, line) for line in lines)


def _mentions(text: str, names: tuple[str, ...]) -> bool:
    return any(name in text for name in names)


def _may_help(read: SettingRead, files: set[str], is_project_file: Callable[[str], bool]) -> bool:
    """Whether a variable may be what the statements in these files lacked."""
    if read.is_existence_check or not any(is_project_file(caller.file) for caller in read.callers[:1]):
        return False
    if read.default is not None:
        return read.default.startswith(OTHER_DATABASES)
    is_near = any(caller.file in files for caller in read.callers)
    return is_database_setting(read.name) or (is_near and bool(UPPER_CASE.match(read.name)))


def guess_database_variables(
    reads: SettingReads, additions: Additions, replaced_urls: tuple[str, ...]
) -> Optional[Additions]:
    """Variables that, when they are set, may lead the project from another dialect to PostgreSQL.

    Those whose default is one of the replaced URLs are certain; else those of a database that have none.
    """
    missing = reads.missing_variables()
    names = [
        read.name for read in missing.values() if read.default and _is_one_of(read.default, replaced_urls)
    ]
    names += [name for name, value in reads.defaults.items() if _is_one_of(value, replaced_urls)]
    if not names:
        names = [
            read.name
            for read in missing.values()
            if read.default is None and is_database_setting(read.name) and not read.name.startswith("PG")
        ]
    defaults = {**{name: read.default for name, read in missing.items()}, **reads.defaults}
    for name in dict.fromkeys(names):
        if name not in additions.variables and name not in os.environ:
            additions = additions.replace_default(name, defaults.get(name))
    return additions if names else None


def _is_one_of(value: str, urls: tuple[str, ...]) -> bool:
    return any(value == url or (len(value) > 3 and value in url) for url in urls)
