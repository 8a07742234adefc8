"""The command that writes an allowance for one finding: the diff first, and the proof that it is allowed."""

from __future__ import annotations

import ast
import difflib
import os
import re
from collections.abc import Mapping
from datetime import date
from itertools import chain
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from migration_gate import explain
from migration_gate.analysis.loosened_gate_parts import CHECK as LOOSENED_GATE
from migration_gate.check import Finding
from migration_gate.config.loading import load_settings
from migration_gate.config.settings import Allowance, Settings
from migration_gate.corrections.file_replacement import replace_files
from migration_gate.corrections.planned_fixes import is_inside
from migration_gate.edits.allowance_entries import (
    AllowanceEntry,
    EntryNotWritten,
    add_toml_entry,
    add_yaml_entry,
)
from migration_gate.edits.file_edits import BYTE_ORDER_MARK, keep_line_ends
from migration_gate.entrypoint import examine_projects
from migration_gate.errors import Misconfigured
from migration_gate.facts import Location
from migration_gate.git.git_command import find_repository_root
from migration_gate.lazy_dataclass import dataclass
from migration_gate.python_parser import parse_module
from migration_gate.report.allow_entry import escape_pattern
from migration_gate.report.json_document import JsonProject, JsonReport, JsonVerdict
from migration_gate.report.json_report import build_document
from migration_gate.verdict.allow import allowance_covers, comment_covers, find_allow_comments
from migration_gate.verdict.unused_allow import is_forbidden

NEW_FILE = ".migration-gate.yml"
COMMENT_MARKS = {".py": "#", ".sql": "--", ".sh": "#", ".yml": "#", ".yaml": "#"}


@dataclass(frozen=True, slots=True)
class AllowRequest:
    """What the command line asks for."""

    path: Path
    finding: str
    """its id"""
    reason: str
    until: str = ""
    is_comment: bool = False
    report: Path | None = None
    """a JSON report; without one the project is checked first"""
    writes: bool = False


@dataclass(frozen=True, slots=True)
class FileEdit:
    """A file with its old and new text; the old one is None if there is no file."""

    file: Path
    old: str | None
    new: str

    def write(self) -> None:
        """Write the new text, with the line ends that the file has. Raises Misconfigured."""
        text = self.new
        try:
            if self.old is not None:
                text = keep_line_ends(self.file.read_bytes().decode("utf-8"), self.new)
            replace_files({self.file: text.encode("utf-8")})
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(
                f"`{self.file}` could not be written: {getattr(error, 'strerror', None) or error}.",
                where=str(self.file),
                advice="Correct its permissions.",
            ) from error

    def render_diff(self, top: Path) -> str:
        """The edit as a unified diff."""
        name = str(self.file.relative_to(top)) if self.file.is_relative_to(top) else str(self.file)
        old_name = "/dev/null" if self.old is None else f"a/{name}"
        lines = difflib.unified_diff(
            (self.old or "").splitlines(keepends=True),
            self.new.splitlines(keepends=True),
            old_name,
            f"b/{name}",
        )
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def allow_finding(request: AllowRequest, options: Mapping[str, object]) -> tuple[str, int]:
    """What the command prints, and its exit status: 1 if the finding is still not allowed.

    Raises Misconfigured if there is no such finding, or its allowance cannot be written.
    """
    if not request.reason.strip():
        raise Misconfigured("The reason is empty.", where="--reason", advice="Say why it is accepted.")
    entry_until = _read_date(request.until)
    project, verdict = _find_verdict(request, options)
    if verdict.allowed is not None:
        return _say_allowed(verdict.allowed.reason, verdict.allowed.where), 0
    if verdict.check == LOOSENED_GATE:
        raise Misconfigured(
            "No new allowance covers `loosened-gate`: otherwise each change could allow itself.",
            advice=f"Set `checks: {{{LOOSENED_GATE}/{verdict.kind}: off}}` in a change of its own.",
        )
    settings = _find_settings(request, options, project)
    if is_forbidden(_name_check(verdict), settings.forbid_allow):
        raise Misconfigured(
            f"Nothing allows `{_name_check(verdict)}`: `forbid_allow` names it.",
            advice="Correct what it found, or have the policy changed.",
        )
    if request.report is not None and (earlier := _find_later_allowance(request, verdict, settings)):
        return _say_allowed(earlier.reason, earlier.where), 0
    if request.is_comment:
        edit = make_comment(request, verdict, find_repository_root(settings.root))
    else:
        edit = _make_entry(request, verdict, settings, entry_until)
    diff = edit.render_diff(find_repository_root(settings.root))
    if not request.writes:
        return f"{diff}\nNothing was written: `--write` writes it.", 0
    edit.write()
    return _prove(request, options, diff)


def _say_allowed(reason: str, where: str) -> str:
    return f"It is allowed already: {reason}{f' ({where})' if where else ''}"


def _find_later_allowance(
    request: AllowRequest, verdict: JsonVerdict, settings: Settings
) -> Allowance | None:
    """What allows the finding of a report now, though the report does not know it; None if nothing does.

    Comments are looked for only if one is to be written.
    """
    location = Location(verdict.file, verdict.line) if verdict.file else None
    finding = Finding(verdict.object, "", location, kind=verdict.kind)
    top, today = find_repository_root(settings.root), date.today()
    entries = (item for item in settings.allowances if allowance_covers(item, verdict.check, finding, today))
    texts = {}
    if (
        request.is_comment
        and verdict.file
        and is_inside(top, verdict.file)
        and (top / verdict.file).is_file()
    ):
        texts = {verdict.file: _read_text(top / verdict.file)}
    comments = (item for item in find_allow_comments(texts) if comment_covers(item, verdict.check, finding))
    return next(chain(entries, (comment.as_allowance() for comment in comments)), None)


def _read_date(text: str) -> str:
    if not text:
        return ""
    try:
        last_day = date.fromisoformat(text)
    except ValueError:
        raise Misconfigured(
            f"`{text}` is no date.", where="--until", advice="Write it as 2027-01-31."
        ) from None
    if last_day < date.today():
        raise Misconfigured(f"`{text}` is over.", where="--until", advice="Give a later date.")
    return last_day.isoformat()


def _find_verdict(request: AllowRequest, options: Mapping[str, object]) -> tuple[JsonProject, JsonVerdict]:
    """The finding, and its project. Raises Misconfigured if there is none, or one in several projects."""
    projects = _read_report(request.report) if request.report else _examine(request, options)
    found = [
        (project, verdict)
        for project in projects
        for verdict in project.verdicts
        if verdict.id == request.finding
    ]
    if len(found) > 1:
        names = ", ".join(f"`{project.name}`" for project, _ in found)
        raise Misconfigured(
            f"{names} have the finding `{request.finding}`.",
            where="--project",
            advice="Name one of them, or allow it for all with an entry above `projects:`.",
        )
    if not found:
        problems = [project.problem.says for project in projects if project.problem]
        raise Misconfigured(
            f"There is no finding `{request.finding}`.",
            advice="`migration-gate check --format json` has the id of each finding.",
            evidence="\n".join(problems),
        )
    return found[0]


def _read_report(file: Path) -> tuple[JsonProject, ...]:
    try:
        return TypeAdapter(JsonReport).validate_json(file.read_bytes()).projects
    except OSError as error:
        raise Misconfigured(
            f"`{file}` cannot be read: {error.strerror}.", where="--from", advice="Correct the path."
        ) from error
    except ValidationError as error:
        raise Misconfigured(
            f"`{file}` is no JSON report of ours.",
            where="--from",
            advice=f"Write one with `migration-gate check --report json={file}`.",
        ) from error


def _examine(request: AllowRequest, options: Mapping[str, object]) -> tuple[JsonProject, ...]:
    return build_document(examine_projects(request.path, options)).projects


def _find_settings(request: AllowRequest, options: Mapping[str, object], project: JsonProject) -> Settings:
    loaded = load_settings(request.path, options, os.environ, list_checks=explain.known_kinds)
    named = [settings for settings in loaded if settings.name == project.name]
    return (named or list(loaded))[0]


def _make_entry(request: AllowRequest, verdict: JsonVerdict, settings: Settings, until: str) -> FileEdit:
    """An entry of the configuration file, which is made if there is none."""
    entry = AllowanceEntry(
        _name_check(verdict), escape_pattern(verdict.object), request.reason.strip(), until
    )
    file = settings.config_file or settings.root / NEW_FILE
    text = _read_text(file) if settings.config_file is not None else None
    project = settings.name if settings.is_named_project else ""
    add = add_toml_entry if file.suffix == ".toml" else add_yaml_entry
    try:
        return FileEdit(file, text, add(text or "", entry, project))
    except EntryNotWritten as error:
        lines = "\n".join(f"{key}: {value}" for key, value in entry.as_mapping().items())
        raise Misconfigured(
            f"The entry cannot be written into `{file.name}`: {error}.",
            where=str(file),
            advice="Write it there by hand.",
            evidence=lines,
        ) from error


def make_comment(request: AllowRequest, verdict: JsonVerdict, top: Path) -> FileEdit:
    """A comment on a line of its own, above the line of the finding."""
    if request.until:
        raise Misconfigured(
            "A comment has no last day.", where="--until", advice="Leave out `--comment`, or `--until`."
        )
    file = top / (verdict.file or "")
    mark = COMMENT_MARKS.get(file.suffix)
    is_there = file.is_file() and is_inside(top, verdict.file or "")
    if verdict.file is None or verdict.line is None or mark is None or not is_there:
        raise _uncommented(verdict, "it is at no line of a file that may have comments of ours")
    text = _read_text(file)
    lines = re.findall(r"[^\n]*\n|[^\n]+$", text)  # (`splitlines` ends lines at more characters)
    if verdict.line > len(lines):
        raise _uncommented(verdict, f"`{verdict.file}` has no line {verdict.line}: the report is an old one")
    line = lines[verdict.line - 1]
    indent = line[: len(line) - len(line.lstrip())].rstrip("\n")
    reason = " ".join(request.reason.split())
    comment = f"{indent}{mark} migration-gate: allow {_name_check(verdict)} -- {reason}\n"
    mark_of_order = BYTE_ORDER_MARK if lines[0].startswith(BYTE_ORDER_MARK) else ""
    lines[0] = lines[0].removeprefix(BYTE_ORDER_MARK)
    new_text = mark_of_order + "".join((*lines[: verdict.line - 1], comment, *lines[verdict.line - 1 :]))
    if not _is_comment_there(verdict, new_text) or not _is_same_code(file, text, new_text):
        raise _uncommented(verdict, f"no comment can stand above line {verdict.line} of `{verdict.file}`")
    return FileEdit(file, text, new_text)


def _is_comment_there(verdict: JsonVerdict, text: str) -> bool:
    comments = find_allow_comments({verdict.file or "": text})
    return any(comment.line == verdict.line and not comment.fault for comment in comments)


def _is_same_code(file: Path, old: str, new: str) -> bool:
    if file.suffix != ".py":
        return True
    try:
        trees = [parse_module(text.removeprefix(BYTE_ORDER_MARK)) for text in (old, new)]
        return ast.dump(trees[0]) == ast.dump(trees[1])
    except SyntaxError:
        return False


def _uncommented(verdict: JsonVerdict, reason: str) -> Misconfigured:
    return Misconfigured(
        f"The finding about `{verdict.object}` cannot be allowed by a comment: {reason}.",
        where="--comment",
        advice="Leave out `--comment`: an entry of the configuration serves.",
    )


def _name_check(verdict: JsonVerdict) -> str:
    return f"{verdict.check}/{verdict.kind}" if verdict.kind else verdict.check


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"`{file}` cannot be read: {error}.", where=str(file)) from error


def _prove(request: AllowRequest, options: Mapping[str, object], diff: str) -> tuple[str, int]:
    """Check again: whether the finding is allowed now."""
    verdicts = [
        verdict
        for project in _examine(request, options)
        for verdict in project.verdicts
        if verdict.id == request.finding
    ]
    allowed = [verdict.allowed for verdict in verdicts if verdict.allowed is not None]
    if allowed and len(allowed) == len(verdicts):
        where = re.sub(r"^(.+)$", r" (\1)", allowed[0].where)
        return f"{diff}\nWritten, and checked again: the finding is allowed{where}.", 0
    found = "the finding is not allowed" if verdicts else "there is no such finding any more"
    return f"{diff}\nWritten, and checked again: {found}.", 1
