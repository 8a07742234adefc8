"""A bug in Migration Gate, shown where GitHub's runner shows it: no file of the machine outlives the run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from migration_gate.errors import GateError
from migration_gate.report.markdown import escape_markdown, fence_code
from migration_gate.report.workflow_commands import (
    append_text,
    carry_out_commands,
    format_command,
    show_folded,
    write_line,
)

TITLE = "Migration Gate broke"


def publish_broken_run(environ: Mapping[str, str], error: GateError) -> None:
    """The traceback in a folded group of the log, one error on the run, and a page of the step's summary.

    All of it goes to stderr, because stdout may be a report. `error.evidence` is the traceback.
    """
    with carry_out_commands():
        show_folded(f"{TITLE}: the traceback", error.evidence, sys.stderr)
        message = f"{error.message}\n{error.advice}"
        write_line(format_command("error", message, title=TITLE), sys.stderr)
    if name := environ.get("GITHUB_STEP_SUMMARY"):
        with suppress(OSError):  # the log has it all
            append_text(Path(name), _render_page(error))


def _render_page(error: GateError) -> str:
    parts = (
        f"## {TITLE}",
        escape_markdown(error.message),
        f"{escape_markdown(error.advice)} Nothing was judged.",
        fence_code(error.evidence),
    )
    return "\n\n".join(parts) + "\n"
