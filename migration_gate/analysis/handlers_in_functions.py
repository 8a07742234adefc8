"""Functions that a revision calls, and whose handlers may have hidden an error of their INSERT or UPDATE.

What a DO block catches is observed, and so is DDL in a function. For row statements in a function the gate
would have to change what the project stores: so it is only said that such a function ran, and that what it
caught is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from migration_gate.analysis.step_location import find_statement_location
from migration_gate.facts import Location, Replay, Statement, Step
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import split_qualified_name

_CREATION = re.compile(
    r"\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE)\s+(?P<name>[\w\".]+)\s*\("
    r".*?(?P<tag>\$\w*\$)(?P<body>.*?)(?P=tag)",
    re.IGNORECASE | re.DOTALL,
)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_CHANGES_ROWS = re.compile(r"\b(INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO|EXECUTE)\b", re.IGNORECASE)
_EXCEPTION = re.compile(r"\bEXCEPTION\s+(?=WHEN\b)", re.IGNORECASE)
_HANDLER = re.compile(r"\bWHEN\s+(?P<conditions>[\w\s']+?)\s+THEN\b(?P<code>.*?)(?=\bWHEN\b|\Z)", re.I | re.S)
_RAISES = re.compile(r"\bRAISE\b(?!\s+(?:NOTICE|WARNING|INFO|LOG|DEBUG)\b)", re.IGNORECASE)
_NO_CALL = re.compile(r"\s*(?:CREATE|DROP|ALTER|GRANT|REVOKE|COMMENT)\b", re.IGNORECASE)
OTHERS = "OTHERS"
"""the condition that catches every error"""


@dataclass(frozen=True, slots=True)
class HandlingFunction:
    """A function that changes rows, and catches errors without raising another one."""

    name: str
    conditions: str
    """of the first such handler, in capitals: OTHERS, UNIQUE_VIOLATION"""

    @property
    def catches_everything(self) -> bool:
        """Whether any error at all may be hidden."""
        return OTHERS in self.conditions.split()


@dataclass(frozen=True, slots=True)
class HandledCall:
    """A revision that calls such a function; each pair once."""

    function: HandlingFunction
    revision: str
    location: Location | None
    statement: str


def find_handled_calls(replay: Replay) -> Iterator[HandledCall]:
    """The calls, as far as the statements show them: not those by triggers and by other functions."""
    functions = {
        function.name: function
        for routine in replay.catalog.routines
        for function in _read_functions(routine.definition)
    }
    seen: set[tuple[str, str]] = set()
    for step in replay.steps:
        for statement in step.list_run():
            functions |= {function.name: function for function in _read_functions(statement.sql)}
            for function in functions.values() if _can_call(statement) else ():
                if (function.name, step.revision) not in seen and _calls(statement.sql, function.name):
                    seen.add((function.name, step.revision))
                    yield _describe_call(replay, step, statement, function)


def _describe_call(
    replay: Replay, step: Step, statement: Statement, function: HandlingFunction
) -> HandledCall:
    location = find_statement_location(replay, step, statement)
    return HandledCall(function, step.revision, location, statement.sql)


def _can_call(statement: Statement) -> bool:
    return statement.error is None and _NO_CALL.match(statement.sql) is None


def _calls(sql: str, name: str) -> bool:
    """Whether the name stands before a bracket, and is no table that rows are put into."""
    call = rf"(?<!\w)(?<!\bINTO )(?:\w+\.)?\"?{re.escape(name)}\"?\s*\("
    return re.search(call, " ".join(sql.split()), re.IGNORECASE) is not None


def _read_functions(sql: str) -> Iterator[HandlingFunction]:
    """The functions that the text creates, of those that hide errors."""
    if "exception" not in sql.lower():
        return
    for match in _CREATION.finditer(sql):
        body = _COMMENT.sub(" ", match["body"])
        before, *handlers = _EXCEPTION.split(body)
        conditions = _find_quiet_conditions(" ".join(handlers))
        if conditions and _CHANGES_ROWS.search(before):
            yield HandlingFunction(split_qualified_name(match["name"])[-1], conditions)


def _find_quiet_conditions(handlers: str) -> str:
    """What the first handler catches that raises no error of its own; empty if all do."""
    for match in _HANDLER.finditer(handlers):
        if _RAISES.search(match["code"]) is None:
            return " ".join(match["conditions"].upper().split())
    return ""
