"""Validates each line of the worker's answer as it comes in: a dataclass of `worker/protocol/`."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Annotated

from pydantic import Discriminator, TypeAdapter, ValidationError

from migration_gate.catalog.comparable_catalog import parse_changes
from migration_gate.catalog.snapshot_reader import parse_snapshot
from migration_gate.errors import AnswerCorrupted
from migration_gate.facts import Snapshot
from migration_gate.worker.protocol import Line
from migration_gate.worker.protocol.model_lines import ModelsCreated
from migration_gate.worker.protocol.step_lines import StepFinished

SHOWN_BYTES = 400
"""of a line that cannot be understood"""
ESCAPED_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
"""a NUL character in JSON: Postgres and the file system refuse it in names, paths and texts"""


@cache
def _line_adapter() -> TypeAdapter[Line]:
    """Built at the first line: it takes some 10 ms, which `--help` need not wait for."""
    line_types = Annotated[Line, Discriminator("kind")]
    return TypeAdapter(line_types, config={"strict": True, "allow_inf_nan": False})


@cache
def _snapshot_adapter() -> TypeAdapter[Snapshot]:
    """Built when the first snapshot arrives."""
    return TypeAdapter(Snapshot)


def parse_line(data: bytes) -> Line:
    """One line of the answer. Raises AnswerCorrupted if it is none that the worker writes."""
    try:
        # The pattern takes 0.1 s for a megabyte, and hardly a line has such a character.
        json_line = ESCAPED_NUL.sub(rb"\1\\ufffd", data) if rb"\u0000" in data else data
        line = _line_adapter().validate_json(json_line)
    except ValidationError as error:
        raise corrupted_answer(_describe_problem(error), data) from None
    for text in _list_catalogs(line):
        if text is not None:
            _demand_catalog(text)
    if isinstance(line, StepFinished) and line.changes is not None:
        _demand_changes(line.changes)
    return line


def _list_catalogs(line: Line) -> tuple[str | None, ...]:
    """The catalogs as JSON that the line has."""
    match line:
        case StepFinished():
            return line.before, line.after
        case ModelsCreated():
            return line.declared_catalog, line.restored_catalog
        case _:
            return ()


@lru_cache(maxsize=2)
def _demand_catalog(text: str) -> None:
    """Raise AnswerCorrupted if the text is no snapshot: each field of each row is checked.

    What one revision leaves is what the next one finds.
    """
    try:
        _snapshot_adapter().validate_json(text, strict=True)
        parse_snapshot(text)
    except (ValueError, RecursionError):  # (pydantic's ValidationError is a ValueError)
        raise corrupted_answer("a snapshot is not a catalog", text.encode()) from None


def _demand_changes(text: str) -> None:
    """Raise AnswerCorrupted if the text is not what a revision made of a catalog."""
    try:
        parse_changes(text)
    except (ValueError, RecursionError):
        raise corrupted_answer("what a revision changed is no part of a catalog", text.encode()) from None


def corrupted_answer(problem: str, data: bytes) -> AnswerCorrupted:
    """The error for a piece of the answer that the worker cannot have sent."""
    return AnswerCorrupted(
        f"The project's code wrote on the gate's pipe: {problem}.",
        advice="The worker sends what happens through a file descriptor of its own in the project's process. "
        "Look in env.py, in the migrations and in what they import for code that writes to a descriptor "
        "which it has not opened itself (`os.write`, `os.fdopen`, a loop over all descriptors), and have it "
        "use its own files, or sys.stdout.",
        evidence=data[:SHOWN_BYTES].decode("utf-8", "replace"),
    )


def _describe_problem(error: ValidationError) -> str:
    """What is wrong with a line, by the first thing that pydantic complains about."""
    problem = error.errors(include_url=False, include_input=False)[0]
    if problem["type"] == "json_invalid":
        return "a line of the worker's answer is not JSON"
    if not problem["loc"]:
        return "a line of the worker's answer is of no kind that the worker writes"
    kind, *path = (str(part) for part in problem["loc"])
    field = f"the field `{'.'.join(path)}` " if path else ""
    return f"in a line of kind `{kind}`, {field}is wrong ({problem['msg'].lower()})"
