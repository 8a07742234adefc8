"""The suggestions of earlier runs on a pull request: found by our marker and account, and withdrawn.

Nothing that another account wrote is changed. A suggestion that somebody answered stays, with a text that
says that it is outdated. Another one is deleted: an open thread may keep a pull request from being merged.
"""

from __future__ import annotations

from collections.abc import Iterable

from migration_gate.action.api_account import ApiAccount, find_account
from migration_gate.action.github_client import GitHubClient, Json
from migration_gate.lazy_dataclass import dataclass
from migration_gate.report.suggestion import Marker, parse_marker, render_outdated

WITHDRAWN_REVIEW = "Migration Gate suggested edits here, which the newest run does not suggest any more."


@dataclass(frozen=True, slots=True)
class PublishedSuggestion:
    """A review comment with our marker, of the token's own account."""

    id: int
    review: int
    """0 if it is not known"""
    marker: Marker
    body: str
    is_answered: bool


def list_own_suggestions(client: GitHubClient) -> list[PublishedSuggestion]:
    """Those of the token's own account: anybody could write our marker."""
    address = f"{client.pull_request.address}/comments"
    comments = [item for item in client.list_items(address) if isinstance(item, dict)]
    answered = {comment.get("in_reply_to_id") for comment in comments}
    account: ApiAccount | None = None
    suggestions = []
    for comment in comments:
        author, suggestion = comment.get("user"), _parse_comment(comment, answered)
        if suggestion is not None and isinstance(author, dict):
            account = account or find_account(client)
            suggestions += [suggestion] if account.wrote(author) else []
    return suggestions


def _parse_comment(comment: Json, answered: set[object]) -> PublishedSuggestion | None:
    """None if it has no marker."""
    number, review, body = comment.get("id"), comment.get("pull_request_review_id"), str(comment.get("body"))
    marker = parse_marker(body)
    if marker is None or not isinstance(number, int):
        return None
    return PublishedSuggestion(
        number, review if isinstance(review, int) else 0, marker, body, number in answered
    )


def withdraw_suggestions(
    client: GitHubClient, stale: Iterable[PublishedSuggestion], published: Iterable[PublishedSuggestion]
) -> None:
    """Delete or edit the stale ones of those that are published. Raises as `GitHubClient.call` does."""
    address = client.pull_request.address
    deleted = []
    for suggestion in stale:
        comment_address = f"{address.rpartition('/')[0]}/comments/{suggestion.id}"
        if suggestion.is_answered:
            client.call("PATCH", comment_address, {"body": render_outdated(suggestion.body)})
        else:
            client.call("DELETE", comment_address)
            deleted.append(suggestion)
    remaining_reviews = {suggestion.review for suggestion in published if suggestion not in deleted}
    for review in dict.fromkeys(suggestion.review for suggestion in deleted):
        if review and review not in remaining_reviews:
            client.call("PUT", f"{address}/reviews/{review}", {"body": WITHDRAWN_REVIEW})
