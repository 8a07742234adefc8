"""Calls GitHub's API: within limits of time and size, and with a token that goes to no other server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from migration_gate.lazy_dataclass import dataclass

if TYPE_CHECKING:
    import requests

CONNECT_SECONDS = 10.0
READ_SECONDS = 20.0
"""for the next bytes of an answer"""
ANSWER_SECONDS = 40.0
"""for a whole answer"""
CHUNK_BYTES = 65_536
MAX_ANSWER_BYTES = 20_000_000
MAX_PAGES = 50
"""of a hundred items each"""
HEADERS = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
    "User-Agent": "migration-gate",
}
Json = dict[str, object]


class NotCommented(Exception):
    """There is no comment; the message tells people why."""


class CommentRefused(NotCommented):
    """The token may not write here: workflows of forks and of Dependabot get none that may."""


class TemporaryFailure(Exception):
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
    def address(self) -> str:
        """The API's address of this pull request as such, and of what belongs to its diff."""
        return f"{self.api}/repos/{self.repository}/pulls/{self.number}"

    @property
    def comments_address(self) -> str:
        """The API's address of the comments on this pull request."""
        return f"{self.issues_address}/{self.number}/comments"


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """The answer to a call that succeeded."""

    content: object
    """parsed JSON; None if there is none"""
    next_page: str | None = None
    """address of the next page"""


class GitHubClient:
    """A connection to GitHub's API, for one attempt."""

    def __init__(self, pull_request: PullRequest) -> None:
        import requests  # noqa: PLC0415 - takes 0.1 s, and only comments need it

        self.pull_request = pull_request
        self._session = requests.Session()
        self._session.headers.update(HEADERS)
        # As `auth`, because a ~/.netrc would replace a mere header.
        self._session.auth = self._add_token

    def __enter__(self) -> GitHubClient:
        return self

    def __exit__(self, *error: object) -> None:
        self._session.close()

    def _add_token(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.pull_request.token}"
        return request

    def call(self, method: str, address: str, body: Json | None = None) -> ApiAnswer:
        """The answer. Raises TemporaryFailure, CommentRefused, or NotCommented."""
        import requests  # noqa: PLC0415 - see above

        timeout = (CONNECT_SECONDS, READ_SECONDS)
        try:
            with self._session.request(
                method, address, json=body, timeout=timeout, allow_redirects=False, stream=True
            ) as response:
                text = _read_body(response)
        except requests.RequestException as error:
            server = urlsplit(address).netloc
            raise TemporaryFailure(f"{type(error).__name__} at {server}") from error
        _demand_success(response.status_code, response.headers, text)
        try:
            return ApiAnswer(json.loads(text) if text else None, self._next_page(response))
        except ValueError as error:
            raise TemporaryFailure("something that is not JSON") from error

    def list_items(self, address: str) -> Iterator[object]:
        """The items of a list, page by page. Raises as `call` does."""
        page: str | None = f"{address}?per_page=100"
        for _ in range(MAX_PAGES):
            if page is None:
                return
            answer = self.call("GET", page)
            if not isinstance(answer.content, list):
                raise TemporaryFailure("no list")
            yield from answer.content
            page = answer.next_page

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
            raise TemporaryFailure("more than 20 MB")
        if time.monotonic() > deadline:
            raise TemporaryFailure(f"still incomplete after {ANSWER_SECONDS:.0f} s")
    return bytes(body)


def _demand_success(status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Raise the exception of a call that did not succeed."""
    if 200 <= status < 300:
        return
    is_limited = _is_rate_limit(headers, body)
    if status >= 500 or status == 429 or (status == 403 and is_limited):
        limit = ", a rate limit" if is_limited else ""
        raise TemporaryFailure(f"HTTP {status}{limit}", _requested_pause(headers))
    if status in (401, 403, 404):
        raise CommentRefused(f"the token may not write comments here (HTTP {status})")
    raise NotCommented(f"GitHub answered with HTTP {status}")


def _is_rate_limit(headers: Mapping[str, str], body: bytes) -> bool:
    if "Retry-After" in headers or headers.get("X-RateLimit-Remaining") == "0":
        return True
    return b"rate limit" in body.lower()


def _requested_pause(headers: Mapping[str, str]) -> float | None:
    """Seconds after which the server accepts another call; None if it does not say."""
    retry_after = headers.get("Retry-After", "")
    if retry_after.isdigit():
        return float(retry_after)
    reset_time = headers.get("X-RateLimit-Reset", "")
    if headers.get("X-RateLimit-Remaining") == "0" and reset_time.isdigit():
        return max(float(reset_time) - time.time(), 1.0)
    return None
