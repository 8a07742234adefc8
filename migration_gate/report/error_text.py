"""An error that stops a run, as people read it on a terminal."""

from __future__ import annotations

from migration_gate.errors import GateError

WIDTH = 80
"""columns of a line"""
REPORT_THIS = "Please report this"


def unexpected_error(error: Exception, *, shows_traceback: bool) -> GateError:
    """A bug in Migration Gate as one message, with exit status 3.

    The traceback is its evidence if `shows_traceback` is set, and goes to a file otherwise.
    """
    import traceback  # noqa: PLC0415 - not needed when all goes well

    from migration_gate.errors import Broken  # noqa: PLC0415 - not needed when all goes well

    trace = "".join(traceback.format_exception(error))
    message = f"The gate broke: {type(error).__name__}: {str(error) or 'no message'}"
    if shows_traceback:
        return Broken(message, advice=f"{REPORT_THIS}.", evidence=trace)
    log_file = _write_log_file(trace)
    if log_file is None:
        return Broken(message, advice=f"{REPORT_THIS}, with the output of `migration-gate --debug`.")
    return Broken(message, advice=f"{REPORT_THIS}, with that file.", where=log_file)


def _write_log_file(text: str) -> str | None:
    """The path of a new temporary file that holds `text`; None if it cannot be written."""
    import tempfile  # noqa: PLC0415 - not needed when all goes well

    try:
        with tempfile.NamedTemporaryFile("w", prefix="migration-gate-", suffix=".log", delete=False) as file:
            file.write(text)
    except OSError:
        return None
    return file.name


def render_error(error: GateError) -> str:
    """The message, its location, what to do next, and the evidence, in 80 columns."""
    lines = [f"error: {error.message}"]
    if error.where:
        lines.append(f"  at {error.where}")
    if error.advice:
        lines += ["", *error.advice.splitlines()]
    wrapped_lines = [part for line in lines for part in _wrap_line(line)]
    if error.evidence:
        wrapped_lines.append("")
        wrapped_lines += [f"    {line}" for line in error.evidence.splitlines()]
    return "\n".join(wrapped_lines)


def _wrap_line(line: str) -> list[str]:
    """The line in 80 columns; an indented line is code, and stays whole."""
    import textwrap  # noqa: PLC0415 - not needed when all goes well

    if len(line) <= WIDTH or line.startswith("  "):
        return [line]
    return textwrap.wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False)
