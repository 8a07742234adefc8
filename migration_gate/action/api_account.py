"""Whose token it is, and so which comments on a pull request are ours: anybody can write our marker."""

from __future__ import annotations

from migration_gate.action.github_client import GitHubClient, Json, NotCommented, TemporaryFailure
from migration_gate.lazy_dataclass import dataclass

BOT_LOGIN = "github-actions[bot]"
"""the account of GITHUB_TOKEN, if GitHub does not tell it"""
ACCOUNT_QUERY = "{viewer{login databaseId}}"


@dataclass(frozen=True, slots=True)
class ApiAccount:
    """The account that the token belongs to."""

    id: int | None
    """None if GitHub does not tell it: the account is taken for that of GITHUB_TOKEN"""

    def wrote(self, author: Json) -> bool:
        """Whether the account is the author, as the API describes one."""
        if self.id is not None:
            return author.get("id") == self.id
        return author.get("login") == BOT_LOGIN and author.get("type") == "Bot"


def find_account(client: GitHubClient) -> ApiAccount:
    """Asked by GraphQL, as the token of an installation (GITHUB_TOKEN is one) cannot ask by REST."""
    try:
        answer: object = client.call("POST", client.pull_request.graphql, {"query": ACCOUNT_QUERY}).content
    except (NotCommented, TemporaryFailure):
        return ApiAccount(None)
    for key in ("data", "viewer", "databaseId"):
        answer = answer.get(key) if isinstance(answer, dict) else None
    return ApiAccount(answer if isinstance(answer, int) else None)
