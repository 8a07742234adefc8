"""Events as GitHub and GitLab describe them in variables and payloads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from migration_gate.ci.event import Event, read_event
from migration_gate.errors import Misconfigured

BASE, HEAD, RUN = "a" * 40, "b" * 40, "c" * 40
ZEROES = "0" * 40


def github(tmp_path: Path, name: str, payload: object) -> dict[str, str]:
    file = tmp_path / "event.json"
    file.write_text(payload if isinstance(payload, str) else json.dumps(payload))
    return {
        "GITHUB_EVENT_NAME": name,
        "GITHUB_EVENT_PATH": str(file),
        "GITHUB_SHA": RUN,
        "GITHUB_REPOSITORY": "film/library",
        "GITHUB_SERVER_URL": "https://github.example/",
        "GITHUB_API_URL": "https://github.example/api/v3",
    }


def pull_request(source: str | None = "film/library") -> dict[str, object]:
    head = {"sha": HEAD, "repo": {"full_name": source, "fork": True} if source else None}
    return {
        "pull_request": {"number": 7, "base": {"sha": BASE, "ref": "main"}, "head": head},
        "repository": {"full_name": "film/library"},
    }


def test_outside_of_a_ci_there_is_no_event() -> None:
    assert read_event({"PATH": "/bin"}) == Event()


def test_a_pull_request_names_its_base_its_head_and_itself(tmp_path: Path) -> None:
    assert read_event(github(tmp_path, "pull_request", pull_request())) == Event(
        "pull_request",
        "github",
        base=BASE,
        is_exact=False,
        reason="the base of pull request 7",
        head=HEAD,
        commit=RUN,
        pull_request=7,
        is_fork=False,
        repository="film/library",
        server_url="https://github.example",
        api_url="https://github.example/api/v3",
    )


@pytest.mark.parametrize("source", ["somebody/library", None])
def test_a_pull_request_from_another_or_a_deleted_repository_is_of_a_fork(
    tmp_path: Path, source: str | None
) -> None:
    assert read_event(github(tmp_path, "pull_request", pull_request(source))).is_fork


def test_a_merge_group_names_its_base_exactly(tmp_path: Path) -> None:
    payload = {"merge_group": {"base_sha": BASE, "head_sha": HEAD, "base_ref": "refs/heads/main"}}
    event = read_event(github(tmp_path, "merge_group", payload))
    assert (event.base, event.is_exact, event.head) == (BASE, True, HEAD)


def test_a_push_is_compared_with_what_was_there_before(tmp_path: Path) -> None:
    event = read_event(github(tmp_path, "push", {"before": BASE, "after": HEAD, "forced": False}))
    assert (event.base, event.is_exact, event.head) == (BASE, True, HEAD)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"before": ZEROES, "after": HEAD}, "the push made the branch or tag: there is nothing before it"),
        (
            {"before": BASE, "after": HEAD, "forced": True},
            "the push was forced: what was there before is no base",
        ),
    ],
)
def test_a_push_without_a_usable_past_has_no_base(
    tmp_path: Path, payload: dict[str, object], reason: str
) -> None:
    event = read_event(github(tmp_path, "push", payload))
    assert (event.base, event.reason) == (None, reason)


@pytest.mark.parametrize("name", ["schedule", "workflow_dispatch", "release"])
def test_other_events_have_no_base_and_need_no_payload(tmp_path: Path, name: str) -> None:
    environ = github(tmp_path, name, "{}") | {"GITHUB_EVENT_PATH": "/nowhere"}
    event = read_event(environ)
    assert (event.base, event.reason) == (None, f"the event `{name}` has no base")


def test_a_workflow_run_names_the_head_and_whether_it_is_of_a_fork(tmp_path: Path) -> None:
    run = {"head_sha": HEAD, "head_repository": {"full_name": "somebody/library"}}
    payload = {"workflow_run": run, "repository": {"full_name": "film/library"}}
    event = read_event(github(tmp_path, "workflow_run", payload))
    assert (event.base, event.head, event.is_fork) == (None, HEAD, True)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ("", "EOF while parsing"),
        ("[]", "Input should be an object"),
        ("{}", "`pull_request`: Field required"),
        (json.dumps(pull_request()).replace(BASE, "--upload-pack=sh"), "`pull_request.base.sha`"),
        (json.dumps(pull_request()).replace('"number": 7', '"number": "seven"'), "`pull_request.number`"),
    ],
)
def test_a_payload_of_the_wrong_shape_is_an_error_that_names_the_field(
    tmp_path: Path, payload: str, message: str
) -> None:
    environ = github(tmp_path, "pull_request", payload)
    with pytest.raises(
        Misconfigured, match="The payload of the event `pull_request` is not what GitHub"
    ) as error:
        read_event(environ)
    assert message in error.value.message
    assert error.value.where == f"GITHUB_EVENT_PATH ({environ['GITHUB_EVENT_PATH']})"


def test_a_payload_that_does_not_exist_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    environ = github(tmp_path, "push", "{}") | {"GITHUB_EVENT_PATH": "/nowhere/event.json"}
    with pytest.raises(Misconfigured, match=r"could not be read: No such file or directory\."):
        read_event(environ)


def test_without_the_payload_variable_the_base_is_not_known(tmp_path: Path) -> None:
    environ = github(tmp_path, "pull_request", "{}") | {"GITHUB_EVENT_PATH": ""}
    assert (
        read_event(environ).reason
        == "GITHUB_EVENT_PATH is not set, so the base of `pull_request` is not known"
    )


def test_a_merge_request_of_gitlab_names_its_base(tmp_path: Path) -> None:
    environ = {
        "GITLAB_CI": "true",
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": BASE,
        "CI_MERGE_REQUEST_IID": "12",
        "CI_MERGE_REQUEST_PROJECT_PATH": "film/library",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "somebody/library",
        "CI_COMMIT_SHA": HEAD,
        "CI_COMMIT_BEFORE_SHA": ZEROES,
        "CI_PROJECT_PATH": "film/library",
        "CI_SERVER_URL": "https://gitlab.example",
        "CI_API_V4_URL": "https://gitlab.example/api/v4",
    }
    assert read_event(environ) == Event(
        "merge_request_event",
        "gitlab",
        base=BASE,
        is_exact=True,
        reason="the base of merge request 12",
        head=HEAD,
        commit=HEAD,
        pull_request=12,
        is_fork=True,
        repository="film/library",
        server_url="https://gitlab.example",
        api_url="https://gitlab.example/api/v4",
    )


@pytest.mark.parametrize(
    ("before", "base"), [(BASE, BASE), (ZEROES, None), ("$(rm -rf /)", None), ("", None)]
)
def test_a_push_to_gitlab_is_compared_with_what_was_there_before(before: str, base: str | None) -> None:
    environ = {"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BEFORE_SHA": before}
    assert read_event(environ).base == base
