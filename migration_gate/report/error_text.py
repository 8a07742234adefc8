"""An error that ends a run, as people read it."""

from __future__ import annotations

from migration_gate.errors import GateError

WIDTH = 80


def unexpected_error(error: Exception, *, debug: bool) -> GateError:
    """An unexpected error, as one message; its traceback goes to a file, or into the message with --debug."""
    import tempfile  # noqa: PLC0415 - not needed when all goes well
    import traceback  # noqa: PLC0415 - not needed when all goes well

    from migration_gate.errors import Broken  # noqa: PLC0415 - not needed when all goes well

    text = "".join(traceback.format_exception(error))
    says = f"The gate broke: {type(error).__name__}: {str(error) or 'no message'}"
    if debug:
        return Broken(says, advice="Please report this.", evidence=text)
    try:
        with tempfile.NamedTemporaryFile("w", prefix="migration-gate-", suffix=".log", delete=False) as file:
            file.write(text)
    except OSError:
        return Broken(says, advice="Please report this, with the output of `migration-gate --debug`.")
    return Broken(says, advice="Please report this, with that file.", where=file.name)


def render_error(error: GateError) -> str:
    """An error for people: what we wanted and found, where, what to do next, and the evidence."""
    lines = [f"error: {error.message}"]
    if error.where:
        lines.append(f"  at {error.where}")
    lines += ["", *error.advice.splitlines()] if error.advice else []
    wrapped = [part for line in lines for part in _wrapped(line)]
    if error.evidence:
        wrapped += ["", *(f"    {line}" for line in error.evidence.splitlines())]
    return "\n".join(wrapped)


def _wrapped(line: str) -> list[str]:
    """A line in 80 columns; indented ones are code, and stay as they are."""
    import textwrap  # noqa: PLC0415 - not needed when all goes well

    if len(line) <= WIDTH or line.startswith("  "):
        return [line]
    return textwrap.wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False)
