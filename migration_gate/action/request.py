"""What a workflow asked for, from the runner's INPUT_<NAME>: empty where it was not given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from migration_gate.action.inputs import INPUTS, REPORT, Input
from migration_gate.errors import Misconfigured
from migration_gate.wording import suggest_name

PREFIX = "INPUT_"
RUNNERS = frozenset({"INPUT_ENTRYPOINT", "INPUT_ARGS"})
"""not ours: what a workflow may set of any container action"""


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """What a workflow asked for."""

    path: Path = Path()
    options: dict[str, object] = field(default_factory=dict)
    """nested as in a configuration file"""
    comment: str = "auto"
    report: str = REPORT
    files: tuple[tuple[str, str], ...] = ()
    """format and file, beside the JSON report"""
    summary: bool = True
    annotations: bool = True
    allow_untrusted_code: bool = False


def input_variable(name: str) -> str:
    """How the runner spells an input."""
    return PREFIX + name.replace(" ", "_").upper()


def read_request(environ: Mapping[str, str]) -> ActionRequest:
    """What the inputs ask for. Raises Misconfigured for what is unknown or malformed, by its name."""
    given = _given(environ)
    options: dict[str, object] = {}
    for one in INPUTS:
        if one.key and one.name in given:
            target = options
            for part in one.key[:-1]:
                inner = target.setdefault(part, {})
                assert isinstance(inner, dict)  # noqa: S101 - no input is both a setting and a part of one
                target = inner
            target[one.key[-1]] = given[one.name]
    text = {one.name: str(given.get(one.name, one.default)) for one in INPUTS if not one.key}
    flags = {name: given.get(name, text[name] == "true") is True for name in text}
    return ActionRequest(
        path=Path(text["path"]),
        options=options,
        comment=text["comment"],
        report=text["report"],
        files=tuple((form, text[form]) for form in ("sarif", "junit") if text[form]),
        summary=flags["summary"],
        annotations=flags["annotations"],
        allow_untrusted_code=flags["allow-untrusted-code"],
    )


def _given(environ: Mapping[str, str]) -> dict[str, object]:
    """The inputs that were given, parsed."""
    known = {one.name: one for one in INPUTS}
    found: dict[str, object] = {}
    for key, text in environ.items():
        if not key.startswith(PREFIX) or key in RUNNERS:
            continue
        name = key.removeprefix(PREFIX).lower().replace("_", "-")
        if name not in known:
            raise Misconfigured(
                f"The action has no input `{name}`.", where="with:", advice=suggest_name(name, known)
            )
        if text.strip():
            found[name] = _parsed(known[name], text)
    return found


def _parsed(one: Input, text: str) -> object:
    text = text.strip()
    if one.choices and text not in one.choices:
        raise _wrong(one, f"must be one of {', '.join(one.choices)}", text, suggest_name(text, one.choices))
    if one.kind == "flag":
        if text.lower() not in ("true", "false"):
            raise _wrong(one, "must be true or false", text, "")
        return text.lower() == "true"
    if one.kind == "list":
        return tuple(part.strip() for part in re.split(r"[,\n]", text) if part.strip())
    return _pairs(one, text) if one.kind == "pairs" else text


def _pairs(one: Input, text: str) -> dict[str, str]:
    pairs = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, equals, value = line.strip().partition("=")
        if not name or name.startswith("#"):
            continue
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name.strip()):
            # The line itself may be a secret.
            raise Misconfigured(
                f"Line {number} of the input `{one.name}` is not NAME=VALUE.",
                where=f"with: {one.name}",
                advice="Write one variable a line; a value cannot go on in the next.",
            )
        pairs[name.strip()] = value
    return pairs


def _wrong(one: Input, wanted: str, found: str, advice: str) -> Misconfigured:
    shown = found if len(found) <= 60 else f"{found[:60]}…"
    return Misconfigured(
        f"The input `{one.name}` {wanted}, but is `{shown}`.", where=f"with: {one.name}", advice=advice
    )
