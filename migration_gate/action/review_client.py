"""Writes suggestions as one review of a pull request, each once.

Every attempt begins with the review comments that are there, so that no suggestion is written twice, neither
in a later run nor if the answer to a call got lost. What is no longer suggested is left alone: GitHub marks
it as outdated when its lines change.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from migration_gate.action.api_account import ApiAccount, find_account
from migration_gate.action.diff_patch import has_lines
from migration_gate.action.github_client import GitHubClient, Json, PullRequest, TemporaryFailure
from migration_gate.action.repeated_attempts import repeat_attempt
from migration_gate.report.suggestion import MAX_SUGGESTIONS, Suggestion, parse_key

REVIEW_BODY = "Migration Gate suggests edits of lines that this pull request changes."
Outcome = Literal["written", "unchanged", "outdated", "unneeded"]


def write_suggestions(
    pull_request: PullRequest,
    commit: str,
    suggestions: Sequence[Suggestion],
    *,
    wait: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Write the suggestions whose lines are in the diff, and that are not there yet. Raises NotCommented.

    `commit` is the newest one of the pull request that the run knows; if there is a newer one, its own run
    is going to suggest something. Without suggestions nothing is asked.
    """
    if not suggestions:
        return "unneeded"
    return repeat_attempt(pull_request, lambda client: _attempt_review(client, commit, suggestions), wait)


def _attempt_review(client: GitHubClient, commit: str, suggestions: Sequence[Suggestion]) -> Outcome:
    address = client.pull_request.address
    known = _find_own_keys(client)
    new = [suggestion for suggestion in suggestions if suggestion.key not in known]
    if not new:
        return "unchanged"
    if _read_newest_commit(client) != commit:
        return "outdated"
    patches = _read_patches(client, {suggestion.edit.file for suggestion in new})
    in_diff = [
        suggestion
        for suggestion in new
        if has_lines(
            patches.get(suggestion.edit.file, ""), suggestion.edit.first_line, suggestion.edit.old_lines
        )
    ][: max(0, MAX_SUGGESTIONS - (len(suggestions) - len(new)))]
    if not in_diff:
        return "unneeded"
    comments = [_build_comment(suggestion) for suggestion in in_diff]
    review: Json = {"commit_id": commit, "event": "COMMENT", "body": REVIEW_BODY, "comments": comments}
    client.call("POST", f"{address}/reviews", review)
    return "written"


def _build_comment(suggestion: Suggestion) -> Json:
    """As the API takes it; a comment on one line has no first line."""
    edit = suggestion.edit
    comment: Json = {"path": edit.file, "body": suggestion.body, "line": edit.last_line, "side": "RIGHT"}
    if edit.first_line < edit.last_line:
        comment |= {"start_line": edit.first_line, "start_side": "RIGHT"}
    return comment


def _find_own_keys(client: GitHubClient) -> set[str]:
    """The suggestions that are there, of the token's own account: anybody could write our marker."""
    account: ApiAccount | None = None
    keys: set[str] = set()
    for item in _list_objects(client, f"{client.pull_request.address}/comments"):
        key = parse_key(str(item.get("body") or ""))
        author = item.get("user")
        if key is not None and isinstance(author, dict):
            account = account or find_account(client)
            keys.update([key] if account.wrote(author) else [])
    return keys


def _read_newest_commit(client: GitHubClient) -> str:
    content = client.call("GET", client.pull_request.address).content
    head = content.get("head") if isinstance(content, dict) else None
    if not isinstance(head, dict):
        raise TemporaryFailure("no pull request")
    return str(head.get("sha"))


def _read_patches(client: GitHubClient, files: set[str]) -> dict[str, str]:
    """The diff of each of these files; none of a file that is not in the diff, or whose diff is too large."""
    patches: dict[str, str] = {}
    for item in _list_objects(client, f"{client.pull_request.address}/files"):
        name, patch = item.get("filename"), item.get("patch")
        if name in files and isinstance(patch, str):
            patches[str(name)] = patch
        if len(patches) == len(files):
            break
    return patches


def _list_objects(client: GitHubClient, address: str) -> Iterator[Json]:
    return (item for item in client.list_items(address) if isinstance(item, dict))
