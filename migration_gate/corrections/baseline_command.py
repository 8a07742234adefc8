"""The command that writes the baseline of a project: the findings that were there when the gate came."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from migration_gate import entrypoint, explain
from migration_gate.config.baseline_file import read_baseline_text
from migration_gate.config.loading import load_settings
from migration_gate.config.settings import Settings
from migration_gate.corrections.file_replacement import replace_files
from migration_gate.edits.file_edits import keep_line_ends
from migration_gate.errors import GateError, Misconfigured
from migration_gate.judgement import read_baseline
from migration_gate.postgres.shared_servers import SharedServers
from migration_gate.process.process_limits import verify_process_limits
from migration_gate.progress import ProgressDisplay
from migration_gate.sandbox.child_process import forbid_reading_memory
from migration_gate.verdict.baseline import BaselineEntry, format_baseline, list_entries, shrink_entries
from migration_gate.verdict.outcome import Verdict
from migration_gate.wording import count_noun


def write_baselines(path: Path, options: Mapping[str, object], *, is_renewed: bool) -> Iterator[str]:
    """Examine each project below `path` and write its baseline; a line for each on what became of it.

    A baseline that is there is only made shorter, unless it is renewed. Raises GateError if a project cannot
    be examined to its end: nothing is written for it.
    """
    forbid_reading_memory()
    verify_process_limits()
    projects = load_settings(path, options, os.environ, list_checks=explain.known_kinds)
    with (
        ProgressDisplay() as display,
        SharedServers(serves_several=len(projects) > 1) as servers,
    ):
        for settings in projects:
            # All findings count: what a base has is to be in the file, too.
            run = replace(settings, examines_base=False, scope="all")
            reports = entrypoint.examine_servers(run, servers, display)
            for report in reports:
                if report.problem is not None:
                    raise GateError(
                        f"{report.name} could not be examined: {report.problem.message}",
                        advice=report.problem.advice,
                        where=report.problem.where,
                    )
            verdicts = [verdict for report in reports for verdict in report.verdicts]
            _require_complete(settings.name, verdicts)
            yield _write_baseline(settings, verdicts, is_renewed=is_renewed)


def _require_complete(name: str, verdicts: Sequence[Verdict]) -> None:
    """Raise Misconfigured if a finding ended the replay: what comes after it is not known."""
    for verdict in verdicts:
        if verdict.allowed is None and verdict.ends_replay:
            raise Misconfigured(
                f"{name} has a finding that no baseline can hold: {verdict.finding.message}",
                where=str(verdict.finding.location or ""),
                advice="Correct it first: what comes after it was not looked at.",
            )


def _write_baseline(settings: Settings, verdicts: Sequence[Verdict], *, is_renewed: bool) -> str:
    entries = list(dict.fromkeys(list_entries(verdicts)))
    earlier = read_baseline(settings)
    if earlier is None or is_renewed:
        _write_file(settings.baseline_file, entries)
        return f"{settings.baseline_file}: {count_noun(len(entries), 'finding')}"
    kept = shrink_entries(earlier.entries, verdicts)
    _write_file(settings.baseline_file, kept)
    known = {entry.id for entry in kept}
    missing = [entry for entry in entries if entry.id not in known]
    gone = len(earlier.entries) - len(kept)
    lines = [f"{settings.baseline_file}: {count_noun(len(kept), 'finding')}, {gone} gone"]
    if missing:
        lines.append(f"{count_noun(len(missing), 'finding')} of the project not in it (`--renew` adds all):")
        lines += [f"  {entry}" for entry in missing]
    return "\n".join(lines)


def _write_file(file: Path, entries: Sequence[BaselineEntry]) -> None:
    """Write the file at once, or leave it as it was. Raises Misconfigured if it cannot be written."""
    try:
        text = keep_line_ends(read_baseline_text(file) or "", format_baseline(entries))
        replace_files({file: text.encode("utf-8", "backslashreplace")})
    except OSError as error:
        raise Misconfigured(
            f"The baseline could not be written to {file}: {error.strerror}.",
            where="baseline",
            advice="Name a file in a folder that exists and may be written to.",
        ) from error
