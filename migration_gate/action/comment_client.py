"""Creates or edits one comment on a pull request, with four calls to GitHub's API.

Every attempt begins with the list of comments, so that a comment is not created twice where the answer to a
call got lost.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from migration_gate.action.github_client import (
    GitHubClient,
    Json,
    NotCommented,
    PullRequest,
    TemporaryFailure,
)
from migration_gate.report.comment import Comment, Marker, parse_marker

MAX_ATTEMPTS = 4
MAX_WAIT_SECONDS = 60.0
"""for all pauses together, where a server is busy or limits us"""
MAX_PAGES = 50
"""of a hundred comments each"""
BOT_LOGIN = "github-actions[bot]"
"""the account of GITHUB_TOKEN, where GitHub does not tell it"""
REPOSITORY_NAME = re.compile(r"[\w.-]+/[\w.-]+")
ACCOUNT_QUERY = "{viewer{login databaseId}}"
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
    if not REPOSITORY_NAME.fullmatch(pull_request.repository):
        raise NotCommented(f"{pull_request.repository!r} is not the name of a repository")
    waited_seconds = 0.0
    attempts = 0
    while True:
        attempts += 1
        try:
            return _attempt_upsert(pull_request, comment, always=always)
        except TemporaryFailure as failure:
            pause = failure.pause_seconds
            if pause is None:
                pause = 2.0 ** (attempts - 1)
            waited_seconds += pause
            if attempts == MAX_ATTEMPTS or waited_seconds > MAX_WAIT_SECONDS:
                message = f"GitHub was asked {attempts} times, and the last answer was: {failure}"
                raise NotCommented(message) from failure
        wait(pause)


def _attempt_upsert(pull_request: PullRequest, comment: Comment, *, always: bool) -> Outcome:
    with GitHubClient(pull_request) as client:
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
    account: _Account | None = None
    for comment in _find_marked_comments(client, project):
        account = account or _find_account(client)
        if account.wrote(comment):
            return comment
    return None


def _find_marked_comments(client: GitHubClient, project: str) -> Iterator[PublishedComment]:
    """The comments with the project's marker, oldest first, page by page."""
    page: str | None = f"{client.pull_request.comments_address}?per_page=100"
    for _ in range(MAX_PAGES):
        if page is None:
            return
        answer = client.call("GET", page)
        if not isinstance(answer.content, list):
            raise TemporaryFailure("no list of comments")
        for item in answer.content:
            comment = _parse_comment(item)
            if comment and comment.marker.project == project:
                yield comment
        page = answer.next_page


def _parse_comment(item: object) -> PublishedComment | None:
    """A comment as the API describes it; None if it has no marker."""
    if not isinstance(item, dict) or not isinstance(item.get("id"), int):
        return None
    marker = parse_marker(str(item.get("body") or ""))
    author = item.get("user")
    if marker is None:
        return None
    return PublishedComment(item["id"], marker, author if isinstance(author, dict) else {})


@dataclass(frozen=True, slots=True)
class _Account:
    """The account that the token belongs to."""

    id: int | None
    """None if GitHub does not tell it: the account is taken for that of GITHUB_TOKEN"""

    def wrote(self, comment: PublishedComment) -> bool:
        """Whether the account is the author of the comment."""
        if self.id is not None:
            return comment.author.get("id") == self.id
        return comment.author.get("login") == BOT_LOGIN and comment.author.get("type") == "Bot"


def _find_account(client: GitHubClient) -> _Account:
    """Asked by GraphQL, as the token of an installation (GITHUB_TOKEN is one) cannot ask by REST."""
    try:
        answer: object = client.call("POST", client.pull_request.graphql, {"query": ACCOUNT_QUERY}).content
    except (NotCommented, TemporaryFailure):
        return _Account(None)
    for key in ("data", "viewer", "databaseId"):
        answer = answer.get(key) if isinstance(answer, dict) else None
    return _Account(answer if isinstance(answer, int) else None)
