"""Creates or edits one comment on a pull request, with four calls to GitHub's API.

Every attempt begins with the list of comments, so that a comment is not created twice if the answer to a
call got lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Literal

from migration_gate.action.api_account import ApiAccount, find_account
from migration_gate.action.github_client import GitHubClient, Json, PullRequest
from migration_gate.action.repeated_attempts import repeat_attempt
from migration_gate.lazy_dataclass import dataclass
from migration_gate.report.comment import Comment, Marker, parse_marker

Outcome = Literal["created", "edited", "unchanged", "unneeded"]


@dataclass(frozen=True, slots=True)
class PublishedComment:
    """A comment on the pull request that has a marker of ours."""

    id: int
    marker: Marker
    author: Json
    """as the API describes an account"""


def upsert_comment(
    pull_request: PullRequest,
    comment: Comment,
    *,
    always: bool = False,
    wait: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Create the comment, or edit the one that has its marker. Raises NotCommented.

    A clean comment is not created if there is none (`unneeded`), unless `always` is set. `wait` sleeps for
    a number of seconds.
    """
    return repeat_attempt(pull_request, lambda client: _attempt_upsert(client, comment, always=always), wait)


def _attempt_upsert(client: GitHubClient, comment: Comment, *, always: bool) -> Outcome:
    pull_request = client.pull_request
    published = _find_own_comment(client, comment.marker.project)
    body: Json = {"body": comment.body}
    if published is None:
        if comment.is_clean and not always:
            return "unneeded"
        client.call("POST", pull_request.comments_address, body)
        return "created"
    if published.marker == comment.marker:
        return "unchanged"
    client.call("PATCH", f"{pull_request.issues_address}/comments/{published.id}", body)
    return "edited"


def _find_own_comment(client: GitHubClient, project: str) -> PublishedComment | None:
    """The first comment with the project's marker that was written with the token's own account.

    Anybody could write our marker in a comment. The account is only asked for where a marker is found.
    """
    account: ApiAccount | None = None
    for comment in _find_marked_comments(client, project):
        account = account or find_account(client)
        if account.wrote(comment.author):
            return comment
    return None


def _find_marked_comments(client: GitHubClient, project: str) -> Iterator[PublishedComment]:
    """The comments with the project's marker, oldest first, page by page."""
    for item in client.list_items(client.pull_request.comments_address):
        comment = _parse_comment(item)
        if comment and comment.marker.project == project:
            yield comment


def _parse_comment(item: object) -> PublishedComment | None:
    """A comment as the API describes it; None if it has no marker."""
    if not isinstance(item, dict) or not isinstance(item.get("id"), int):
        return None
    marker = parse_marker(str(item.get("body") or ""))
    author = item.get("user")
    if marker is None:
        return None
    return PublishedComment(item["id"], marker, author if isinstance(author, dict) else {})
