"""The sticky comment: its text, and the few calls to GitHub's API, against a server that speaks them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from migration_gate.action import github_client, repeated_attempts
from migration_gate.action.comment_client import upsert_comment
from migration_gate.action.github_client import CommentRefused, NotCommented, PullRequest
from migration_gate.check import Evidence, Severity
from migration_gate.config.settings import Allowance
from migration_gate.report import comment
from tests.support import example_reports
from tests.support.github_api import BOT, Answer, GitHub, json_answer, serve_github

pytestmark = pytest.mark.slow  # each starts another program


def fail(status: int, text: str = "{}", **headers: str) -> Callable[[str, str], Answer]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda method, path: (status, named, text.encode())


def pass_on(method: str, path: str) -> None:
    """Answer as usual."""


@pytest.fixture
def github() -> Iterator[GitHub]:
    with serve_github() as state:
        yield state


@pytest.fixture
def waits() -> list[float]:
    return []


BLOCKED = comment.render_comment(example_reports.blocked(), run="https://github.com/o/r/actions/runs/9")
CLEAN = comment.render_comment(replace(example_reports.clean(), name="media-library"))


def test_a_comment_is_created_then_unchanged_then_edited(github: GitHub) -> None:
    assert upsert_comment(github.pull_request(), BLOCKED) == "created"
    assert upsert_comment(github.pull_request(), BLOCKED) == "unchanged"
    assert upsert_comment(github.pull_request(), CLEAN) == "edited"
    (saved_comment,) = github.comments
    assert saved_comment["body"] == CLEAN.body
    assert github.keys == {"Bearer hush"}


def test_a_clean_project_without_a_comment_gets_none(github: GitHub) -> None:
    assert upsert_comment(github.pull_request(), CLEAN) == "unneeded"
    assert github.comments == []
    assert upsert_comment(github.pull_request(), CLEAN, always=True) == "created"


def test_our_comment_is_found_on_the_third_page(github: GitHub) -> None:
    for number in range(250):
        github.add_comment(f"comment {number}")
    github.add_comment(CLEAN.body)
    assert upsert_comment(github.pull_request(), BLOCKED) == "edited"
    assert len(github.comments) == 251
    assert github.comments[-1]["body"] == BLOCKED.body
    assert sum(method == "GET" for method, _ in github.requests) == 3


def test_comments_of_others_are_not_edited(github: GitHub) -> None:
    github.add_comment(CLEAN.body, author=1, login="mallory")
    github.add_comment(f"see:\n{CLEAN.body}")
    assert upsert_comment(github.pull_request(), BLOCKED) == "created"
    assert [saved_comment["body"] for saved_comment in github.comments[:2]] == [
        CLEAN.body,
        f"see:\n{CLEAN.body}",
    ]


def test_each_project_has_its_own_comment(github: GitHub) -> None:
    other = comment.render_comment(replace(example_reports.blocked(), name="billing"))
    assert (upsert_comment(github.pull_request(), BLOCKED), upsert_comment(github.pull_request(), other)) == (
        "created",
        "created",
    )
    assert comment.project_key("a", "x") != comment.project_key("a", "y")
    assert comment.project_key("a", "./x/") == comment.project_key("a", "x")


def test_without_an_account_only_comments_of_the_bot_are_edited(github: GitHub) -> None:
    github.viewer = False
    github.add_comment(CLEAN.body, author=1, login="github-actions[bot]", kind="User")
    github.add_comment(CLEAN.body, author=BOT, login="github-actions[bot]", kind="Bot")
    assert upsert_comment(github.pull_request(), BLOCKED) == "edited"
    assert github.comments[1]["body"] == BLOCKED.body


@pytest.mark.parametrize("status", [302, 400, 403, 500])
def test_a_server_without_graphql_gets_the_comment(github: GitHub, waits: list[float], status: int) -> None:
    github.add_comment(CLEAN.body, login="github-actions[bot]", kind="Bot")
    github.next_answers = [pass_on, fail(status)]
    assert upsert_comment(github.pull_request(), BLOCKED, wait=waits.append) == "edited"


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize("before", [0, 1], ids=["listing", "writing"])
def test_a_call_that_is_refused_is_not_repeated(
    github: GitHub, waits: list[float], status: int, before: int
) -> None:
    github.next_answers = [
        *[pass_on] * before,
        fail(status, '{"message": "Resource not accessible by integration"}'),
    ]
    with pytest.raises(CommentRefused, match=str(status)):
        upsert_comment(github.pull_request(), BLOCKED, wait=waits.append)
    assert (waits, github.comments) == ([], [])


@pytest.mark.parametrize(
    ("trouble", "waited"),
    [
        (fail(500), 1.0),
        (fail(503, Retry_After="3"), 3.0),
        (fail(429, Retry_After="7"), 7.0),
        (fail(403, '{"message": "You have exceeded a secondary rate limit"}', Retry_After="2"), 2.0),
        (fail(403, '{"message": "API rate limit exceeded"}'), 1.0),
        (fail(200, "<html>sign in"), 1.0),
        (fail(200, ""), 1.0),
    ],
)
def test_a_call_is_repeated_after_a_temporary_failure(
    github: GitHub, waits: list[float], trouble: Callable[[str, str], Answer], waited: float
) -> None:
    github.next_answers = [trouble]
    assert upsert_comment(github.pull_request(), BLOCKED, wait=waits.append) == "created"
    assert waits == [waited]
    assert len(github.comments) == 1


def test_four_failed_attempts_are_an_error(github: GitHub, waits: list[float]) -> None:
    github.next_answers = [fail(502)] * 9
    with pytest.raises(NotCommented, match=r"asked 4 times.*HTTP 502"):
        upsert_comment(github.pull_request(), BLOCKED, wait=waits.append)
    assert waits == [1.0, 2.0, 4.0]


def test_a_rate_limit_of_an_hour_is_an_error_at_once(github: GitHub, waits: list[float]) -> None:
    github.next_answers = [fail(403, X_RateLimit_Remaining="0", X_RateLimit_Reset="99999999999")]
    with pytest.raises(NotCommented, match="rate limit"):
        upsert_comment(github.pull_request(), BLOCKED, wait=waits.append)
    assert waits == []


def test_a_comment_whose_answer_got_lost_is_not_created_twice(github: GitHub, waits: list[float]) -> None:
    def lost(method: str, path: str) -> Answer:
        github.add_comment(BLOCKED.body)
        return 502, {}, b""

    github.next_answers = [pass_on, lost]
    assert upsert_comment(github.pull_request(), BLOCKED, wait=waits.append) == "unchanged"
    assert len(github.comments) == 1


def test_a_server_that_does_not_answer_is_an_error(
    github: GitHub, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()

    def slow(method: str, path: str) -> Answer:
        release.wait(5)
        return json_answer([])

    monkeypatch.setattr(github_client, "READ_SECONDS", 0.05)
    monkeypatch.setattr(repeated_attempts, "MAX_ATTEMPTS", 2)
    github.next_answers = [slow, slow]
    with pytest.raises(NotCommented, match="Timeout"):
        upsert_comment(github.pull_request(), BLOCKED, wait=waits.append)
    release.set()


def test_a_server_that_refuses_the_connection_is_an_error(waits: list[float]) -> None:
    with pytest.raises(NotCommented, match="ConnectionError"):
        upsert_comment(PullRequest("o/r", 1, "hush", "http://127.0.0.1:9"), BLOCKED, wait=waits.append)


def test_the_token_goes_to_no_other_server(github: GitHub) -> None:
    def elsewhere(method: str, path: str) -> Answer:
        return 200, {"Link": '<http://127.0.0.1:9/steal>; rel="next"'}, b"[]"

    github.next_answers = [elsewhere]
    assert upsert_comment(github.pull_request(), BLOCKED) == "created"
    github.next_answers = [fail(302, Location="http://127.0.0.1:9/steal")]
    with pytest.raises(NotCommented, match="302"):
        upsert_comment(github.pull_request(), BLOCKED)


@pytest.mark.parametrize(
    "answer", [[None], [{"id": "x"}], [{"id": 1, "body": None, "user": None}], {}, 3, None]
)
def test_unexpected_answers_are_ignored_or_requested_again(
    github: GitHub, waits: list[float], answer: object
) -> None:
    github.next_answers = [lambda method, path: json_answer(answer)]
    assert upsert_comment(github.pull_request(), BLOCKED, wait=waits.append) == "created"
    assert bool(waits) is not isinstance(answer, list), "what is no list is asked for again"


def test_the_token_is_not_in_the_repr() -> None:
    assert "hush" not in repr(PullRequest("o/r", 1, "hush"))


def test_a_clean_comment_is_one_line() -> None:
    head, line, end = comment.render_comment(example_reports.clean(), run="https://x.test/run").body.split(
        "\n"
    )
    assert comment.parse_marker(head) is not None
    assert (
        line
        == "✅ **Migration Gate**: clean passed, 2 revisions, no findings · [the whole report](https://x.test/run)"
    )
    assert end == ""


def test_a_comment_about_notes_alone_is_one_line_and_is_not_created() -> None:
    project = example_reports.blocked()
    note = replace(project.verdicts[0], severity=Severity.NOTE)
    allowed = replace(note, allowed=Allowance("drift", "known"))
    for verdicts, words in (
        ((note,), "1 note"),
        ((note, allowed), "1 note, 1 allowed"),
        ((allowed,), "no findings, 1 allowed"),
        ((), "no findings"),
    ):
        made = comment.render_comment(replace(project, verdicts=verdicts))
        assert made.is_clean
        assert made.body.split("\n")[1:] == [
            f"✅ **Migration Gate**: media-library passed, 4 revisions, {words}",
            "",
        ]
    strict = replace(project, verdicts=(note,), fail_on=Severity.NOTE)
    assert not comment.render_comment(strict).is_clean


def test_a_link_to_another_run_does_not_change_the_marker() -> None:
    first, second = (
        comment.render_comment(example_reports.blocked(), run=f"https://x.test/{n}") for n in (1, 2)
    )
    assert first.marker == second.marker
    assert first.body != second.body


def test_a_comment_stays_below_githubs_limit() -> None:
    project = example_reports.blocked()
    big = "😀x`@|\n" * 1_000_000
    finding = replace(
        project.verdicts[0].finding, message=big, object=big, evidence=(Evidence(big, big),), fix=big
    )
    many = tuple(replace(project.verdicts[0], finding=finding, id=str(n)) for n in range(60))
    body = comment.render_comment(replace(project, verdicts=many)).body
    assert len(body.encode()) < 65_536
    assert "more did not fit" in body
    assert body.count("<details") == body.count("</details>")


@pytest.mark.parametrize(
    "project", [example_reports.hostile(), example_reports.broken(), example_reports.failing()]
)
def test_a_comment_mentions_nobody(project: Any) -> None:
    body = comment.render_comment(project).body
    outside = "".join(part for at, part in enumerate(body.split("```")) if at % 2 == 0)
    assert "@all" not in outside
    assert "&#64;all" not in outside
    assert "<script" not in outside
    assert comment.parse_marker(body)
