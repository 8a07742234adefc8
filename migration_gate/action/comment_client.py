"""Keeps one comment on a pull request: four calls to GitHub's API, and none of them can fail the run.

Every attempt begins with the list of comments, so that a call whose answer got lost is not made twice.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from migration_gate.report.comment import Comment, parse_marker

if TYPE_CHECKING:
    import requests

ATTEMPTS = 4
PATIENCE = 60.0
"""seconds that we wait in all for a server that is busy or limits us"""
CONNECT, READ, WHOLE = 10.0, 20.0, 40.0
"""seconds for a connection, for its next bytes, and for a whole answer"""
LARGEST = 20_000_000
"""bytes of an answer"""
PAGES = 50
"""of a hundred comments each"""
BOT = "github-actions[bot]"
"""who GITHUB_TOKEN is, should GitHub not say"""
Json = dict[str, object]


class NotCommented(Exception):
    """There will be no comment; the message says why, for people."""


class CommentRefused(NotCommented):
    """The token may not write here: forks and Dependabot get none that may."""


class _Later(Exception):
    """Worth another attempt, after so many seconds."""

    def __init__(self, says: str, seconds: float | None = None) -> None:
        super().__init__(says)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request, and how to talk about it."""

    repository: str
    """owner/name"""
    number: int
    token: str = field(repr=False)
    api: str = "https://api.github.com"
    """without a slash at its end"""
    graphql: str = "https://api.github.com/graphql"


def upsert_comment(
    pull: PullRequest, comment: Comment, *, always: bool = False, wait: Callable[[float], None] = time.sleep
) -> str:
    """Create or edit the comment: returns created, edited, unchanged or unneeded. Raises NotCommented.

    A clean comment is not created where there is none, unless `always`.
    """
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", pull.repository):
        raise NotCommented(f"{pull.repository!r} is not the name of a repository")
    waited, last = 0.0, "no answer"
    for attempt in range(ATTEMPTS):
        try:
            return _Attempt(pull).upsert(comment, always=always)
        except _Later as later:
            last, pause = str(later), later.seconds if later.seconds is not None else 2.0**attempt
        waited += pause
        if waited > PATIENCE or attempt == ATTEMPTS - 1:
            break
        wait(pause)
    raise NotCommented(f"GitHub was asked {attempt + 1} times, and the last answer was: {last}")


class _Attempt:
    """One try, with a connection of its own."""

    def __init__(self, pull: PullRequest) -> None:
        import requests  # noqa: PLC0415 - 0.1 s that only a comment pays

        self._pull = pull
        self._session = requests.Session()
        self._session.headers.update(
            {
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
                "User-Agent": "migration-gate",
            }
        )
        # As an `auth`, for a header alone would give way to a ~/.netrc.
        self._session.auth = self._sign

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._pull.token}"
        return request

    def upsert(self, comment: Comment, *, always: bool) -> str:
        with self._session:
            issues = f"{self._pull.api}/repos/{self._pull.repository}/issues"
            found = self._own(f"{issues}/{self._pull.number}/comments?per_page=100", comment.marker.project)
            if found is None:
                if comment.is_clean and not always:
                    return "unneeded"
                self._call("POST", f"{issues}/{self._pull.number}/comments", {"body": comment.body})
                return "created"
            number, digest = found
            if digest == comment.marker.digest:
                return "unchanged"
            self._call("PATCH", f"{issues}/comments/{number}", {"body": comment.body})
            return "edited"

    def _own(self, address: str, project: str) -> tuple[int, str] | None:
        """Number and digest of our comment: the marker's, and written by this token's own account."""
        known = self._marked(address, project)
        first = next(known, None)
        if first is None:
            return None
        is_me = self._me()
        while first is not None:
            number, digest, author = first
            if is_me(author):
                return number, digest
            first = next(known, None)
        return None

    def _marked(self, address: str, project: str) -> Iterator[tuple[int, str, Json]]:
        page: str | None = address
        for _ in range(PAGES):
            if page is None:
                return
            listed, page = self._call("GET", page)
            if not isinstance(listed, list):
                raise _Later("no list of comments")
            for each in listed:
                if not isinstance(each, dict) or not isinstance(each.get("id"), int):
                    continue
                found, author = parse_marker(str(each.get("body") or "")), each.get("user")
                if found and found.project == project:
                    yield each["id"], found.digest, author if isinstance(author, dict) else {}

    def _me(self) -> Callable[[Json], bool]:
        """Tells the account of the token; an installation's token cannot ask REST, but GraphQL."""
        try:
            answer, _ = self._call("POST", self._pull.graphql, {"query": "{viewer{login databaseId}}"})
            data = answer.get("data") if isinstance(answer, dict) else None
            viewer = data.get("viewer") if isinstance(data, dict) else None
            number = viewer.get("databaseId") if isinstance(viewer, dict) else None
        except (NotCommented, _Later):
            number = None
        if isinstance(number, int):
            return lambda author: author.get("id") == number
        return lambda author: author.get("login") == BOT and author.get("type") == "Bot"

    def _call(self, method: str, address: str, body: Json | None = None) -> tuple[object, str | None]:
        """What was answered, and the address of the next page. Raises Refused or _Later."""
        import requests  # noqa: PLC0415 - loaded already

        try:
            answer = self._session.request(
                method, address, json=body, timeout=(CONNECT, READ), allow_redirects=False, stream=True
            )
            with answer:
                text = _read(answer)
        except requests.RequestException as error:
            raise _Later(f"{type(error).__name__} at {urlsplit(address).netloc}") from error
        _judge(answer, text)
        try:
            return json.loads(text), self._next(answer)
        except ValueError as error:
            raise _Later("something that is not JSON") from error

    def _next(self, answer: requests.Response) -> str | None:
        """The next page; only at the same server, for the token goes there."""
        address = answer.links.get("next", {}).get("url")
        same = address and urlsplit(address)[:2] == urlsplit(self._pull.api)[:2]
        return address if same else None


def _read(answer: requests.Response) -> bytes:
    """The whole body, unless it is too long or too slow."""
    ends = time.monotonic() + WHOLE
    read = bytearray()
    for part in answer.iter_content(65_536):
        read += part
        if len(read) > LARGEST:
            raise _Later("more than 20 MB")
        if time.monotonic() > ends:
            raise _Later(f"still incomplete after {WHOLE:.0f} s")
    return bytes(read)


def _judge(answer: requests.Response, text: bytes) -> None:
    """Nothing where the call succeeded; raises otherwise."""
    status, headers = answer.status_code, answer.headers
    if 200 <= status < 300:
        return
    limited = (
        "Retry-After" in headers
        or headers.get("X-RateLimit-Remaining") == "0"
        or b"rate limit" in text.lower()
    )
    if status >= 500 or status == 429 or (status == 403 and limited):
        raise _Later(f"HTTP {status}{', a rate limit' if limited else ''}", _pause(headers))
    if status in (401, 403, 404):
        raise CommentRefused(f"the token may not write comments here (HTTP {status})")
    raise NotCommented(f"GitHub answered with HTTP {status}")


def _pause(headers: Mapping[str, str]) -> float | None:
    """Seconds until the server wants to be asked again, where it says so."""
    after, reset = headers.get("Retry-After"), headers.get("X-RateLimit-Reset")
    if after and after.isdigit():
        return float(after)
    if headers.get("X-RateLimit-Remaining") == "0" and reset and reset.isdigit():
        return max(float(reset) - time.time(), 1.0)
    return None
