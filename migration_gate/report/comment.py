"""The one comment that a pull request gets for each project: what blocks, and no more than fits.

The first line is a marker that pages do not show: by it the comment is found again, and by the digest in it
one knows whether there is anything new to say.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from dataclasses import dataclass

from migration_gate.report.diagram import render_history
from migration_gate.report.markdown import (
    escape_markdown,
    fence_code,
    render_counts,
    render_finding,
    render_fix,
)
from migration_gate.report.phrases import allowed_verdicts, describe_counts
from migration_gate.verdict.outcome import ProjectReport, Verdict
from migration_gate.wording import count_noun

LIMIT = 65_536
"""characters that GitHub takes of one comment; we count bytes, which are never fewer"""
ROOM = 400
"""characters kept for the last lines"""
TEXT = 4000
"""characters of one piece of evidence or of a fix"""
OPEN = 3
ADDRESS = re.compile(r"https?://[\w.:/-]+")
MARKER = re.compile(r"<!-- migration-gate project=([0-9a-f]{16}) digest=([0-9a-f]{16}) -->")


@dataclass(frozen=True, slots=True)
class Comment:
    """What to write; `body` begins with the marker."""

    project: str
    """the project's key in the marker"""
    digest: str
    """of what it says, without links that change from run to run"""
    body: str
    clean: bool
    """nothing to tell anybody who was not told otherwise before"""
    only_resolves: bool = False
    """it only takes back what was said of a run that examined nothing"""


def project_key(name: str, path: str = ".") -> str:
    """What tells projects of one repository apart: a name, and the folder that the gate was started in."""
    return _digest(f"{posixpath.normpath(path or '.')}\0{name}")


def parse_marker(text: str) -> tuple[str, str] | None:
    """Project and digest of a comment of ours; only the first line counts: a project can write the rest."""
    found = MARKER.match(text)
    return (found[1], found[2]) if found else None


def render_comment(project: ProjectReport, path: str = ".", *, run: str = "", source: str = "") -> Comment:
    """The comment about one project, below GitHub's limit.

    `run` is the address of the run, with all of the report; `source` that of the repository's files.
    """
    clean = project.problem is None and not any(verdict.allowed is None for verdict in project.verdicts)
    said = _clean(project) if clean else _body(project, "")
    digest, known = _digest(said), project_key(project.name, path)
    shown = said if clean else _body(project, source)
    link = f"[the whole report]({run})" if ADDRESS.fullmatch(run) else ""
    shown += f" · {link}" if clean and link else link
    head = f"<!-- migration-gate project={known} digest={digest} -->\n"
    return Comment(known, digest, f"{head}{shown}\n", clean)


def render_resolved_comment(path: str = ".") -> Comment:
    """What takes the place of a comment about inputs or a configuration that could not be used."""
    said, known = "✅ **Migration Gate** runs again", project_key("", path)
    digest = _digest(said)
    return Comment(
        known, digest, f"<!-- migration-gate project={known} digest={digest} -->\n{said}\n", True, True
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _clean(project: ProjectReport) -> str:
    """One line."""
    accepted = len(allowed_verdicts(project.verdicts))
    known = count_noun(len(project.facts.replay.history.revisions), "revision")
    words = f"no findings{f', {accepted} allowed' if accepted else ''}"
    return f"✅ **Migration Gate**: {escape_markdown(project.name)} passed, {known}, {words}"


def _body(project: ProjectReport, source: str) -> str:
    name = escape_markdown(project.name) or "the project"
    if project.problem:
        return f"### ⚠️ Migration Gate: {name} was not checked\n\n{_problem(project)}"
    blocking = len(project.blocking_verdicts)
    verdict = f"❌ Migration Gate: {name} is blocked" if blocking else f"✅ Migration Gate: {name} passed"
    pieces = [f"### {verdict}, {describe_counts(project.verdicts)}\n", render_counts(project)]
    if graph := render_history(project.facts.replay.history):
        pieces.append(f"```mermaid\n{graph}\n```\n")
    size = sum(len(piece.encode()) + 1 for piece in pieces)
    left = opened = 0
    for one in _standing(project):
        wide = one.blocks(project.fail_on) and opened < OPEN
        piece = render_finding(one, opened=wide, limit=TEXT, source=source)
        if size + len(piece.encode()) + 1 > LIMIT - ROOM:
            left += 1
            continue
        opened += wide
        size += len(piece.encode()) + 1
        pieces.append(piece)
    if left:
        pieces.append(f"{count_noun(left, 'finding')} more did not fit in here.\n")
    return "\n".join((*pieces, ""))


def _standing(project: ProjectReport) -> list[Verdict]:
    return [verdict for verdict in project.verdicts if verdict.allowed is None]


def _problem(project: ProjectReport) -> str:
    problem = project.problem
    if problem is None:
        return ""
    parts = [escape_markdown(problem.says), escape_markdown(problem.where)]
    parts += [fence_code(problem.evidence, limit=TEXT)] if problem.evidence.strip() else []
    return "\n\n".join(filter(None, (*parts, *render_fix(problem.advice, TEXT)))) + "\n\n"
