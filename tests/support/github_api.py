"""A server that speaks the few calls of GitHub's API that a comment and a review need."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from migration_gate.action.github_client import PullRequest

ME, BOT = 7, 41898282
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class GitHub:
    """What the server holds, what it was asked, and what it answers instead once."""

    comments: list[dict[str, Any]] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)
    review_comments: list[dict[str, Any]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    """the diff, as the API lists it"""
    head: str = ""
    """the newest commit of the pull request"""
    requests: list[tuple[str, str]] = field(default_factory=list)
    next_answers: list[Callable[[str, str], Answer | None]] = field(default_factory=list)
    viewer: bool = True
    address: str = ""
    keys: set[str] = field(default_factory=set)

    def pull_request(self) -> PullRequest:
        return PullRequest("o/r", 12, "hush", self.address, f"{self.address}/graphql")

    def add_comment(self, body: str, author: int = ME, login: str = "me", kind: str = "User") -> None:
        user = {"id": author, "login": login, "type": kind}
        self.comments.append({"id": len(self.comments) + 100, "body": body, "user": user})

    def add_review(self, review: dict[str, Any], author: int = ME) -> None:
        number = len(self.reviews) + 500
        self.reviews.append({"id": number, **review})
        for comment in review["comments"]:
            self.add_review_comment(author=author, pull_request_review_id=number, **comment)

    def add_review_comment(self, author: int = ME, **comment: object) -> None:
        """`in_reply_to_id` of an answer is the id of the first comment of its thread."""
        user = {"id": author, "login": "me", "type": "User"}
        number = max((one["id"] for one in self.review_comments), default=899) + 1
        self.review_comments.append({"id": number, **comment, "user": user})

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Answer:
        self.requests.append((method, path))
        if self.next_answers and (given := self.next_answers.pop(0)(method, path)):
            return given
        if path == "/graphql":
            return json_answer({"data": {"viewer": {"login": "me", "databaseId": ME}}} if self.viewer else {})
        if method == "GET":
            return self.read(path)
        if method == "POST" and path.endswith("/reviews"):
            self.add_review(body)
        elif method == "POST":
            self.add_comment(body["body"])
        else:
            return self.change(method, path, body)
        return json_answer({"id": 1}, 201)

    def change(self, method: str, path: str, body: dict[str, Any]) -> Answer:
        """Edit or delete what has the number at the end of the path, as GitHub does."""
        folder, _, number = path.rpartition("/")
        lists = {
            ("PATCH", "/issues/comments"): self.comments,
            ("PATCH", "/pulls/comments"): self.review_comments,
            ("DELETE", "/pulls/comments"): self.review_comments,
            ("PUT", "/pulls/12/reviews"): self.reviews,
        }
        items = next(items for (verb, end), items in lists.items() if verb == method and folder.endswith(end))
        (item,) = (item for item in items if item["id"] == int(number))
        if method == "DELETE":
            items.remove(item)
            return 204, {}, b""
        item["body"] = body["body"]
        return json_answer({"id": item["id"]})

    def read(self, path: str) -> Answer:
        lists = {
            "/issues/12/comments": self.comments,
            "/pulls/12/comments": self.review_comments,
            "/pulls/12/files": self.files,
        }
        for name, items in lists.items():
            if path.partition("?")[0].endswith(name):
                return self.page_of(items, path)
        return json_answer({"head": {"sha": self.head}})

    def page_of(self, items: list[dict[str, Any]], path: str) -> Answer:
        page = int(path.partition("&page=")[2] or 1)
        status, headers, body = json_answer(items[(page - 1) * 100 : page * 100])
        if page * 100 < len(items):
            first = path.partition("&page=")[0]
            headers["Link"] = f'<{self.address}{first}&page={page + 1}>; rel="next", <x>; rel="last"'
        return status, headers, body


def json_answer(value: object, status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


@contextmanager
def serve_github() -> Iterator[GitHub]:
    """The server, while it runs."""
    state = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            state.keys.add(self.headers["Authorization"])
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            status, headers, text = state.answer(self.command, self.path, body)
            with suppress(BrokenPipeError, ConnectionResetError):  # whoever asked has given up
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield state
        server.shutdown()
        thread.join()
