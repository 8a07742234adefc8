"""The protocol between the gate and its worker, as types for both ends.

The gate sends one `Order` as a line of JSON through a pipe, and when the history has run any number of
`RunsRequest` and perhaps a `ModelsRequest`; then it closes the pipe. The worker answers with one JSON object
a line through another pipe; each is one of the dataclasses in `Line`, told apart by `kind`. The gate
validates every line against these types when it comes in (`replay/answer_lines.py`). The process of the
models has two pipes of the same kinds, and the same order with another task.

What the project's code did wrong is data (`RunFailed`), with exit status 0. `Done` is the last line: if it
is missing the interpreter ended early, and the lines before it show how far it got.

    order               what the gate sends
    run_lines           the course of a run: stages, remarks, a failure, the end
    project_requests    databases and settings that the project asked for
    history_lines       the revision graph and the contexts of env.py; step_lines: each revision
    rollback_lines      functions of revisions that ran once more: their rollback
    model_lines         the models, and what revisions built from them
    reported_error      an exception as data, which several lines have

Standard library only, syntax of Python 3.9: the worker runs in the project's interpreter. The dataclasses
have no slots, because `vars()` of one is what goes on the wire.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Union

from .history_lines import (
    ContextConfigured,
    ContextFinished,
    EarlierRevisionsRan,
    HistoryFinished,
    HistoryRead,
    RevisionsPlanned,
    ScriptsFound,
)
from .model_lines import ContextsMissing, ModelDdlFound, ModelsCreated
from .project_requests import ConnectionRequested, DatabasesFound, SettingSupplied
from .rollback_lines import RunsFinished
from .run_lines import (
    DatabaseUsed,
    Done,
    InterpreterEnded,
    Note,
    ObservationFailed,
    RunFailed,
    StageStarted,
    WorkerStarted,
)
from .step_lines import AnswersNeeded, AnswersReceived, StepFinished, StepStarted

# In the order in which they come.
Line = Union[
    WorkerStarted,
    StageStarted,
    Note,
    ObservationFailed,
    DatabaseUsed,
    ConnectionRequested,
    SettingSupplied,
    ScriptsFound,
    HistoryRead,
    DatabasesFound,
    ContextConfigured,
    RevisionsPlanned,
    StepStarted,
    StepFinished,
    AnswersReceived,
    AnswersNeeded,
    EarlierRevisionsRan,
    ContextFinished,
    ModelDdlFound,
    RunFailed,
    InterpreterEnded,
    HistoryFinished,
    RunsFinished,
    ContextsMissing,
    ModelsCreated,
    Done,
]


def encode_line(line: Line) -> bytes:
    """The line as UTF-8 JSON, with the newline.

    A lone surrogate (from a file name that is not UTF-8) becomes a question mark: JSON in UTF-8 has no way to
    write one.
    """
    return _ENCODER.encode(line).encode("utf-8", "replace") + b"\n"


def _json_value(value: object) -> object:
    """The fields of a dataclass; a text of the project's that only looks like one, as text."""
    return vars(value) if dataclasses.is_dataclass(value) else str(value)


_ENCODER = json.JSONEncoder(default=_json_value, ensure_ascii=False)
"""one for all lines: a revision has two"""
