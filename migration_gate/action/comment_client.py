"""Creates or edits one comment on a pull request, with four calls to GitHub's API.

Every attempt begins with the list of comments, so that a comment is not created twice where the answer to a
call got lost.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from migration_gate.report.comment import Comment, Marker, parse_marker

if TYPE_CHECKING:
    import requests

MAX_ATTEMPTS = 4
MAX_WAIT_SECONDS = 60.0
"""for all pauses together, where a server is busy or limits us"""
CONNECT_SECONDS = 10.0
READ_SECONDS = 20.0
"""for the next bytes of an answer"""
ANSWER_SECONDS = 40.0
"""for a whole answer"""
CHUNK_BYTES = 65_536
MAX_ANSWER_BYTES = 20_000_000
MAX_PAGES = 50
"""of a hundred comments each"""
BOT_LOGIN = "github-actions[bot]"
"""the account of GITHUB_TOKEN, where GitHub does not tell it"""
REPOSITORY_NAME = re.compile(r"[\w.-]+/[\w.-]+")
HEADERS = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
    "User-Agent": "migration-gate",
}
ACCOUNT_QUERY = "{viewer{login databaseId}}"
Json = dict[str, object]
Outcome = Literal["created", "edited", "unchanged", "unneeded"]


class NotCommented(Exception):
    """There is no comment; the message tells people why."""


class CommentRefused(NotCommented):
    """The token may not write here: workflows of forks and of Dependabot get none that may."""


class _TemporaryFailure(Exception):
    """A call failed in a way that another attempt may repair, after a pause if the server names one."""

    def __init__(self, message: str, pause_seconds: float | None = None) -> None:
        super().__init__(message)
        self.pause_seconds = pause_seconds


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request, and the API and token to write to it."""

    repository: str
    """owner/name"""
    number: int
    token: str = field(repr=False)
    api: str = "https://api.github.com"
    """without a slash at its end"""
    graphql: str = "https://api.github.com/graphql"

    @property
    def issues_address(self) -> str:
        """The API's address of all issues; a pull request is one of them."""
        return f"{self.api}/repos/{self.repository}/issues"

    @property
    def comments_address(self) -> str:
        """The API's address of the comments on this pull request."""
        return f"{self.issues_address}/{self.number}/comments"


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """The answer to a call that succeeded."""

    content: object
    """parsed JSON"""
    next_page: str | None = None
    """address of the next page"""


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

    A clean comment is not created where there is none (`unneeded`), unless `always` is set. `wait` sleeps for
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
        except _TemporaryFailure as failure:
            pause = failure.pause_seconds
            if pause is None:
                pause = 2.0 ** (attempts - 1)
            waited_seconds += pause
            if attempts == MAX_ATTEMPTS or waited_seconds > MAX_WAIT_SECONDS:
                message = f"GitHub was asked {attempts} times, and the last answer was: {failure}"
                raise NotCommented(message) from failure
        wait(pause)


def _attempt_upsert(pull_request: PullRequest, comment: Comment, *, always: bool) -> Outcome:
    with _Client(pull_request) as client:
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


def _find_own_comment(client: _Client, project: str) -> PublishedComment | None:
    """The first comment with the project's marker that was written with the token's own account.

    Anybody could write our marker in a comment. The account is only asked for where a marker is found.
    """
    account: _Account | None = None
    for comment in _find_marked_comments(client, project):
        account = account or _find_account(client)
        if account.wrote(comment):
            return comment
    return None


def _find_marked_comments(client: _Client, project: str) -> Iterator[PublishedComment]:
    """The comments with the project's marker, oldest first, page by page."""
    page: str | None = f"{client.pull_request.comments_address}?per_page=100"
    for _ in range(MAX_PAGES):
        if page is None:
            return
        answer = client.call("GET", page)
        if not isinstance(answer.content, list):
            raise _TemporaryFailure("no list of comments")
        for item in answer.content:
            comment = _parse_comment(item)
            if comment and comment.marker.project == project:
                yield comment
        page = answer.next_page


def _parse_comment(item: object) -> PublishedComment | None:
    """A comment as the API describes it; None where it has no marker."""
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
    """None where GitHub does not tell it: the account is taken for that of GITHUB_TOKEN"""

    def wrote(self, comment: PublishedComment) -> bool:
        """Whether the account is the author of the comment."""
        if self.id is not None:
            return comment.author.get("id") == self.id
        return comment.author.get("login") == BOT_LOGIN and comment.author.get("type") == "Bot"


def _find_account(client: _Client) -> _Account:
    """Asked by GraphQL, as the token of an installation (GITHUB_TOKEN is one) cannot ask by REST."""
    try:
        answer: object = client.call("POST", client.pull_request.graphql, {"query": ACCOUNT_QUERY}).content
    except (NotCommented, _TemporaryFailure):
        return _Account(None)
    for key in ("data", "viewer", "databaseId"):
        answer = answer.get(key) if isinstance(answer, dict) else None
    return _Account(answer if isinstance(answer, int) else None)


class _Client:
    """A connection to GitHub's API, for one attempt."""

    def __init__(self, pull_request: PullRequest) -> None:
        import requests  # noqa: PLC0415 - takes 0.1 s, and only comments need it

        self.pull_request = pull_request
        self._session = requests.Session()
        self._session.headers.update(HEADERS)
        # As `auth`, because a ~/.netrc would replace a mere header.
        self._session.auth = self._add_token

    def __enter__(self) -> _Client:
        return self

    def __exit__(self, *error: object) -> None:
        self._session.close()

    def _add_token(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.pull_request.token}"
        return request

    def call(self, method: str, address: str, body: Json | None = None) -> ApiAnswer:
        """The answer. Raises _TemporaryFailure, CommentRefused, or NotCommented."""
        import requests  # noqa: PLC0415 - see above

        timeout = (CONNECT_SECONDS, READ_SECONDS)
        try:
            with self._session.request(
                method, address, json=body, timeout=timeout, allow_redirects=False, stream=True
            ) as response:
                text = _read_body(response)
        except requests.RequestException as error:
            server = urlsplit(address).netloc
            raise _TemporaryFailure(f"{type(error).__name__} at {server}") from error
        _demand_success(response.status_code, response.headers, text)
        try:
            return ApiAnswer(json.loads(text), self._next_page(response))
        except ValueError as error:
            raise _TemporaryFailure("something that is not JSON") from error

    def _next_page(self, response: requests.Response) -> str | None:
        """The address of the next page; not one at another server, which would get the token."""
        address = response.links.get("next", {}).get("url")
        if not address or urlsplit(address)[:2] != urlsplit(self.pull_request.api)[:2]:
            return None
        return address


def _read_body(response: requests.Response) -> bytes:
    """The whole body, unless it is too long or takes too long."""
    deadline = time.monotonic() + ANSWER_SECONDS
    body = bytearray()
    for chunk in response.iter_content(CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise _TemporaryFailure("more than 20 MB")
        if time.monotonic() > deadline:
            raise _TemporaryFailure(f"still incomplete after {ANSWER_SECONDS:.0f} s")
    return bytes(body)


def _demand_success(status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Raise the exception of a call that did not succeed."""
    if 200 <= status < 300:
        return
    is_limited = _is_rate_limit(headers, body)
    if status >= 500 or status == 429 or (status == 403 and is_limited):
        limit = ", a rate limit" if is_limited else ""
        raise _TemporaryFailure(f"HTTP {status}{limit}", _requested_pause(headers))
    if status in (401, 403, 404):
        raise CommentRefused(f"the token may not write comments here (HTTP {status})")
    raise NotCommented(f"GitHub answered with HTTP {status}")


def _is_rate_limit(headers: Mapping[str, str], body: bytes) -> bool:
    if "Retry-After" in headers or headers.get("X-RateLimit-Remaining") == "0":
        return True
    return b"rate limit" in body.lower()


def _requested_pause(headers: Mapping[str, str]) -> float | None:
    """Seconds after which the server accepts another call; None where it does not say."""
    retry_after = headers.get("Retry-After", "")
    if retry_after.isdigit():
        return float(retry_after)
    reset_time = headers.get("X-RateLimit-Reset", "")
    if headers.get("X-RateLimit-Remaining") == "0" and reset_time.isdigit():
        return max(float(reset_time) - time.time(), 1.0)
    return None
