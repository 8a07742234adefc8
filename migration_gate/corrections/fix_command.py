"""`fix`: writes what corrects the findings of a change, after it has shown it as a diff and tried it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from migration_gate import entrypoint, explain
from migration_gate.check import Severity
from migration_gate.config.loading import load_settings
from migration_gate.config.relocation import Relocation
from migration_gate.config.settings import Settings
from migration_gate.corrections.file_replacement import replace_files
from migration_gate.corrections.planned_fixes import REBASE_CHECKS, PlannedFixes, is_inside, plan_fixes
from migration_gate.corrections.revision_name import read_revision_names
from migration_gate.edits.file_edits import FileText, render_diff
from migration_gate.errors import GateError, Misconfigured
from migration_gate.git.git_command import find_repository_root, run_git
from migration_gate.git.tracked_files import list_tracked_files
from migration_gate.git.tree_export import mark_as_exported
from migration_gate.postgres.run_directory import temporary_run_directory
from migration_gate.postgres.shared_servers import SharedServers
from migration_gate.process.process_limits import verify_process_limits
from migration_gate.progress import ProgressDisplay
from migration_gate.project import find_project
from migration_gate.report.verdict_selection import full_check_name
from migration_gate.sandbox.child_process import forbid_reading_memory
from migration_gate.verdict.outcome import ProjectReport, Verdict
from migration_gate.wording import count_noun, join_words


def fix_projects(
    path: Path, options: Mapping[str, object], *, writes: bool, fixes_all: bool
) -> Iterator[str]:
    """What can be written for each project below `path`, as text with a diff; written too if `writes`.

    fixes_all: also for findings that were there before the change. Raises GateError.
    """
    forbid_reading_memory()
    verify_process_limits()
    projects = load_settings(path, options, os.environ, list_checks=explain.known_kinds)
    with ProgressDisplay() as display, SharedServers(serves_several=True) as servers:
        for settings in projects:
            if len(projects) > 1:
                yield f"{settings.name}:"
            fixing = ProjectFixing(settings, servers, display)
            yield from fixing.run(writes=writes, fixes_all=fixes_all)


class ProjectFixing:
    """The fixes of one project."""

    def __init__(self, settings: Settings, servers: SharedServers, display: ProgressDisplay) -> None:
        self._settings = settings
        self._servers = servers
        self._display = display
        self._top = find_repository_root(settings.root)

    def run(self, *, writes: bool, fixes_all: bool) -> Iterator[str]:
        """Lines of text on what was found, planned, tried and written."""
        report = self._examine(self._settings)
        names = read_revision_names(self._settings)
        plan = plan_fixes(report, _list_wanted(report, fixes_all=fixes_all), self._top, names)
        if not plan.files:
            yield _describe_left(plan) or "Nothing to do: no finding is to be corrected."
            return
        for file in plan.files:
            yield render_diff(file).rstrip("\n")
        yield from plan.problems
        yield self._try(plan, {verdict.id for verdict in report.verdicts})
        if left := _describe_left(plan):
            yield left
        if writes:
            _write_all(plan.files, self._top)
            yield f"Written: {join_words([file.path for file in plan.files])}."
        else:
            yield "Nothing was written: `--write` does it."

    def _examine(self, settings: Settings) -> ProjectReport:
        reports = entrypoint.examine_servers(settings, self._servers, self._display)
        for problem in filter(None, (report.problem for report in reports)):
            raise GateError(problem.message, advice=problem.advice, where=problem.where)
        return join_databases(reports) if len(reports) > 1 else reports[0]

    def _try(self, plan: PlannedFixes, known: Collection[str]) -> str:
        """What the gate says of a copy of the repository with these files. `known`: ids of its findings."""
        if incomplete := plan.must_be_completed:
            return (
                f"It was not tried: fill in the owners in {join_words(incomplete)} first, then "
                "`migration-gate check` says what is left."
            )
        return _describe_trial(plan, self._examine_copy(plan), known)

    def _examine_copy(self, plan: PlannedFixes) -> ProjectReport:
        """The report on a copy of the repository in which the fixes are written, without a base."""
        with temporary_run_directory() as folder:
            copy = (folder / "tree").resolve()
            _copy_repository(self._top, copy)
            _write_all(plan.files, copy)
            relocation = Relocation(self._top, copy)
            python = self._settings.python or find_project(self._settings).python
            settings = relocation.relocate_settings(self._settings, python)
            return self._examine(replace(settings, base=None, examines_base=False))


def join_databases(reports: Sequence[ProjectReport]) -> ProjectReport:
    """The reports on several databases as one, if one revision can serve all. Raises Misconfigured."""
    drift = [report.facts.replay.drift_revision for report in reports]
    revisions = [revision for revision in drift if revision is not None]
    if len(revisions) > 1 or not all(revision.engines for revision in revisions):
        raise Misconfigured(
            "The project has several databases, and env.py does not name the one that it migrates: "
            "their findings are corrected by hand.",
            advice="`migration-gate check` shows the lines for each.",
        )
    first = reports[0]
    replay = replace(first.facts.replay, drift_revision=next(iter(revisions), None))
    verdicts = [verdict for report in reports for verdict in report.verdicts]
    new_last = sorted(verdicts, key=lambda verdict: not verdict.is_spared)
    by_id = {verdict.id: verdict for verdict in new_last}
    return replace(first, facts=replace(first.facts, replay=replay), verdicts=tuple(by_id.values()))


def _describe_trial(plan: PlannedFixes, report: ProjectReport, known: Collection[str]) -> str:
    """What the report on the copy says of the findings that the plan is for, and of others."""
    standing = [verdict for verdict in report.verdicts if verdict.allowed is None]
    corrected = {verdict.id for verdict in plan.corrected}
    left = [verdict for verdict in standing if verdict.id in corrected]
    number = count_noun(len(plan.corrected), "finding")
    text = f"of {number} {len(left)} would be left: {_name(left)}" if left else f"{number} gone"
    if added := [verdict for verdict in standing if _is_added(verdict, known)]:
        text += f"; but it would bring {_name(added)}"
    return f"Tried on a copy: {text}."


def _list_wanted(report: ProjectReport, *, fixes_all: bool) -> list[Verdict]:
    """The findings that are to be corrected: not the allowed ones, and the old ones only if all are."""
    standing = [verdict for verdict in report.verdicts if verdict.allowed is None]
    return [verdict for verdict in standing if fixes_all or not verdict.is_spared]


def _is_added(verdict: Verdict, known: Collection[str]) -> bool:
    """Whether the fixes bring the finding, and it is more than a note."""
    return verdict.id not in known and verdict.severity is not Severity.NOTE


def _describe_left(plan: PlannedFixes) -> str:
    """The findings for which nothing can be written; a note asks for nothing."""
    left = [verdict for verdict in plan.left if verdict.severity is not Severity.NOTE]
    if not left:
        return ""
    text = f"By hand: {_name(left)}."
    if any(verdict.check in REBASE_CHECKS for verdict in left):
        text += " `migration-gate rebase` puts the new revisions on top of the others."
    return text


def _name(verdicts: Sequence[Verdict]) -> str:
    return ", ".join(f"{full_check_name(verdict)} {verdict.finding.object}" for verdict in verdicts)


def _copy_repository(top: Path, copy: Path) -> None:
    """Copy the files that git tracks or could, as they are now; all of them if there is no repository."""
    new_files = run_git(top, "ls-files", "-z", "--others", "--exclude-standard").text.split("\0")
    paths = sorted({*list_tracked_files(top).paths, *filter(None, new_files)})
    for path in paths:
        source, target = top / path, copy / path
        if any((top / folder).is_symlink() for folder in PurePath(path).parents):
            continue  # git knows it from before the folder became a link
        if source.is_symlink() or source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    mark_as_exported(copy, paths)


def _write_all(files: Sequence[FileText], top: Path) -> None:
    """Write all files or none. Raises GateError."""
    for file in files:
        if not is_inside(top, file.path):
            raise GateError(
                f"`{file.path}` is a link out of the repository: nothing was written.",
                advice="Edit the file to which it leads.",
            )
    try:
        for file in files:
            (top / file.path).parent.mkdir(parents=True, exist_ok=True)
        replace_files({top / file.path: file.after for file in files})
    except OSError as error:
        raise GateError(f"{error}. The files are as they were.", advice="Correct the permissions.") from error
