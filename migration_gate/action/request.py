"""What a workflow requests by its inputs, which the runner passes as variables INPUT_<NAME>."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import cast

from migration_gate.action.inputs import INPUTS, REPORT_PATH, CommentMode, Input
from migration_gate.config.config_keys import nest_values
from migration_gate.errors import Misconfigured
from migration_gate.lazy_dataclass import dataclass
from migration_gate.wording import suggest_name

PREFIX = "INPUT_"
VARIABLES_OF_RUNNER = frozenset({"INPUT_ENTRYPOINT", "INPUT_ARGS"})
"""inputs that every container action has"""
VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MAX_SHOWN_LENGTH = 60
"""characters of a wrong value in a message"""


@dataclass(frozen=True, slots=True)
class RequestedFile:
    """A report to write."""

    form: str
    """its format"""
    path: str
    """from the top of the repository"""
    input_name: str
    """the input that names it"""


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """What a workflow requests."""

    path: Path = Path()
    options: dict[str, object] = field(default_factory=dict)
    """settings, nested as in a configuration file"""
    comment: CommentMode = "auto"
    suggestions: bool = True
    report_files: tuple[RequestedFile, ...] = (RequestedFile("json", REPORT_PATH, "report"),)
    summary: bool = True
    annotations: bool = True
    allow_untrusted_code: bool = False


def input_variable(name: str) -> str:
    """The variable in which the runner passes an input."""
    return PREFIX + name.replace(" ", "_").upper()


def read_request(environ: Mapping[str, str]) -> ActionRequest:
    """The request in the inputs of `environ`; an empty input has its default.

    Raises Misconfigured for an input that is unknown or malformed.
    """
    values = _read_inputs(environ)
    settings = {item.key: values[item.name] for item in INPUTS if item.key and item.name in values}
    texts = {item.name: str(values.get(item.name, item.default)) for item in INPUTS if not item.key}
    return ActionRequest(
        path=Path(texts["path"]),
        options=nest_values(settings),
        comment=cast("CommentMode", texts["comment"]),
        suggestions=_read_flag(values, "suggestions"),
        report_files=_requested_files(texts),
        summary=_read_flag(values, "summary"),
        annotations=_read_flag(values, "annotations"),
        allow_untrusted_code=_read_flag(values, "allow-untrusted-code"),
    )


def _requested_files(texts: Mapping[str, str]) -> tuple[RequestedFile, ...]:
    files = [RequestedFile("json", texts["report"], "report")]
    files += [RequestedFile(form, texts[form], form) for form in ("sarif", "junit") if texts[form]]
    return tuple(files)


def _read_flag(values: Mapping[str, object], name: str) -> bool:
    default = next(item.default for item in INPUTS if item.name == name)
    return values.get(name, default == "true") is True


def _read_inputs(environ: Mapping[str, str]) -> dict[str, object]:
    """The values of the inputs that are not empty, by name."""
    inputs = {item.name: item for item in INPUTS}
    values: dict[str, object] = {}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or variable in VARIABLES_OF_RUNNER:
            continue
        name = variable.removeprefix(PREFIX).lower().replace("_", "-")
        if name not in inputs:
            advice = suggest_name(name, inputs)
            raise Misconfigured(f"The action has no input `{name}`.", where="with:", advice=advice)
        if text.strip():
            values[name] = _parse_value(inputs[name], text.strip())
    return values


def _parse_value(item: Input, text: str) -> object:
    """The value of an input by its kind."""
    if item.choices and text not in item.choices:
        expected = f"must be one of {', '.join(item.choices)}"
        raise _wrong_value(item, expected, text, suggest_name(text, item.choices))
    match item.kind:
        case "flag":
            return _parse_flag(item, text)
        case "list":
            return tuple(part.strip() for part in re.split(r"[,\n]", text) if part.strip())
        case "pairs":
            return _parse_pairs(item, text)
        case "text":
            return text


def _parse_flag(item: Input, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise _wrong_value(item, "must be true or false", text, "")
    return text.lower() == "true"


def _parse_pairs(item: Input, text: str) -> dict[str, str]:
    """Lines of NAME=VALUE; empty lines and lines that begin with `#` are skipped."""
    pairs = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, equals, value = line.strip().partition("=")
        if not name or name.startswith("#"):
            continue
        if not equals or not VARIABLE_NAME.fullmatch(name.strip()):
            # The line is not shown: it may hold a secret.
            raise Misconfigured(
                f"Line {number} of the input `{item.name}` is not NAME=VALUE.",
                where=f"with: {item.name}",
                advice="Write one variable a line; a value cannot go on in the next.",
            )
        pairs[name.strip()] = value
    return pairs


def _wrong_value(item: Input, expected: str, text: str, advice: str) -> Misconfigured:
    shown = text if len(text) <= MAX_SHOWN_LENGTH else f"{text[:MAX_SHOWN_LENGTH]}…"
    message = f"The input `{item.name}` {expected}, but is `{shown}`."
    return Misconfigured(message, where=f"with: {item.name}", advice=advice)
