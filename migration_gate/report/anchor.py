"""The file of a finding for formats in which each needs one, and the finding's identity there."""

from __future__ import annotations

import hashlib
import posixpath
from urllib.parse import quote

from migration_gate.facts import Location
from migration_gate.verdict.outcome import ProjectReport, Verdict

FINGERPRINT_LENGTH = 32
"""hexadecimal digits"""


def anchor_location(verdict: Verdict, project: ProjectReport) -> Location:
    """The finding's location, else that of its revision, of the newest revision, or the project's folder."""
    if verdict.finding.location:
        return verdict.finding.location
    history = project.facts.replay.history
    if revision := history.find_revision(verdict.finding.revision):
        return revision.location
    if history.revisions:
        return Location(history.revisions[-1].location.file)
    return Location(posixpath.normpath(project.facts.tree.prefix or "."))


def is_in_repository(file: str) -> bool:
    """Whether a path in a finding leads to a file of the repository, and not out of it."""
    return not file.startswith("/") and posixpath.normpath(file).split("/")[0] != ".."


def quote_path(file: str) -> str:
    """A path of a file system for a URI: a backslash is a character, and bytes that are no UTF-8 stay."""
    try:
        path = file.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a pair of surrogates, which is no byte of a path either
        path = file.encode("utf-8", "backslashreplace")
    return quote(path, safe="/")


def verdict_fingerprint(verdict: Verdict) -> str:
    """32 hexadecimal digits: the same in every run, and different for each finding of each project."""
    identity = f"{verdict.project}\0{verdict.id}".encode("utf-8", "backslashreplace")
    return hashlib.sha256(identity).hexdigest()[:FINGERPRINT_LENGTH]
