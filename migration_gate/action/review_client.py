"""Writes suggestions as one review of a pull request, each once.

Every attempt begins with the review comments that are there, so that no suggestion is written twice, neither
in a later run nor if the answer to a call got lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Literal

from migration_gate.action.diff_patch import has_edited_lines
from migration_gate.action.github_client import GitHubClient, Json, PullRequest, TemporaryFailure
from migration_gate.action.published_suggestions import (
    PublishedSuggestion,
    list_own_suggestions,
    withdraw_suggestions,
)
from migration_gate.action.repeated_attempts import repeat_attempt
from migration_gate.report.suggestion import MAX_SUGGESTIONS, RunSuggestions, Suggestion

REVIEW_BODY = "Migration Gate suggests edits of lines that this pull request changes."
Outcome = Literal["written", "withdrawn", "unchanged", "outdated", "unneeded"]


def write_suggestions(
    pull_request: PullRequest,
    commit: str,
    run: RunSuggestions,
    *,
    wait: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Write the suggestions whose lines are in the diff, and that are not there yet. Raises NotCommented.

    Those of earlier runs that are out of date are withdrawn. `commit` is the newest one of the pull request
    that the run knows; if there is a newer one, its own run is going to suggest something.
    """
    return repeat_attempt(pull_request, lambda client: _attempt_review(client, commit, run), wait)


def _attempt_review(client: GitHubClient, commit: str, run: RunSuggestions) -> Outcome:
    published = list_own_suggestions(client)
    new, stale = _list_new(run, published), _list_stale(run, published)
    if not new and not stale:
        return "unchanged"
    if _read_newest_commit(client) != commit:
        return "outdated"
    comments = _build_comments(client, new, len(run.suggestions) - len(new)) if new else []
    if comments:
        _post_review(client, commit, comments)
    withdraw_suggestions(client, stale, published)
    if comments:
        return "written"
    return "withdrawn" if stale else "unneeded"


def _post_review(client: GitHubClient, commit: str, comments: list[Json]) -> None:
    review: Json = {"commit_id": commit, "event": "COMMENT", "body": REVIEW_BODY, "comments": comments}
    client.call("POST", f"{client.pull_request.address}/reviews", review)


def _list_new(run: RunSuggestions, published: Iterable[PublishedSuggestion]) -> list[Suggestion]:
    """Those that are not there yet."""
    known = {suggestion.marker.key for suggestion in published}
    return [suggestion for suggestion in run.suggestions if suggestion.marker.key not in known]


def _list_stale(run: RunSuggestions, published: Iterable[PublishedSuggestion]) -> list[PublishedSuggestion]:
    """Those of the same scope that the run does not suggest, if it would have suggested them."""
    if not run.is_complete:
        return []
    keys = {suggestion.marker.key for suggestion in run.suggestions}
    return [
        suggestion
        for suggestion in published
        if suggestion.marker.scope == run.scope and suggestion.marker.key not in keys
    ]


def _build_comments(client: GitHubClient, new: Sequence[Suggestion], already_there: int) -> list[Json]:
    """Those whose lines are in the diff, up to the limit."""
    patches = _read_patches(client, {suggestion.edit.file for suggestion in new})
    in_diff = (
        suggestion
        for suggestion in new
        if has_edited_lines(patches.get(suggestion.edit.file, ""), suggestion.edit)
    )
    limit = max(0, MAX_SUGGESTIONS - already_there)
    return [_build_comment(suggestion) for suggestion in islice(in_diff, limit)]


def _build_comment(suggestion: Suggestion) -> Json:
    """As the API takes it; a comment on one line has no first line."""
    edit = suggestion.edit
    comment: Json = {"path": edit.file, "body": suggestion.body, "line": edit.last_line, "side": "RIGHT"}
    if edit.first_line < edit.last_line:
        comment |= {"start_line": edit.first_line, "start_side": "RIGHT"}
    return comment


def _read_newest_commit(client: GitHubClient) -> str:
    content = client.call("GET", client.pull_request.address).content
    head = content.get("head") if isinstance(content, dict) else None
    if not isinstance(head, dict):
        raise TemporaryFailure("no pull request")
    return str(head.get("sha"))


def _read_patches(client: GitHubClient, files: set[str]) -> dict[str, str]:
    """The diff of each of these files; none of a file that is not in the diff, or whose diff is too large."""
    patches: dict[str, str] = {}
    for item in client.list_items(f"{client.pull_request.address}/files"):
        if not isinstance(item, dict):
            continue
        name, patch = item.get("filename"), item.get("patch")
        if name in files and isinstance(patch, str):
            patches[str(name)] = patch
        if len(patches) == len(files):
            break
    return patches
