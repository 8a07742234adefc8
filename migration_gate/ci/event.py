"""Which event of which CI started the run: what it says about the base, the head and the pull request.

Read from the variables and the payload alone; `base_revision` asks git. Nothing is guessed: what an event
does not say is None, and `reason` tells why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from migration_gate.errors import Misconfigured
from migration_gate.lazy_dataclass import dataclass

PRIVILEGED_EVENTS = frozenset({"pull_request_target", "workflow_run", "issue_comment"})
"""events that run with the base's rights, and may have anybody's code checked out"""
MAX_PAYLOAD_BYTES = 32 << 20
"""bytes of a payload that are read; GitHub's own limit is 25 MB"""
COMMIT_ID = r"[0-9a-f]{40}|[0-9a-f]{64}"
"""a full id, by SHA-1 or SHA-256"""
CommitId = Annotated[str, Field(pattern=f"^({COMMIT_ID})$")]


@dataclass(frozen=True, slots=True)
class Event:
    """What started the run."""

    name: str = ""
    """as the CI names it; empty outside of one"""
    ci: Literal["github", "gitlab", ""] = ""
    base: str | None = None
    """full id of the commit that the event names as the base"""
    is_exact: bool = False
    """the base itself is meant, not the newest commit that the head shares with it"""
    may_be_forced: bool = False
    """HEAD may not descend from the base"""
    is_own_branch: bool = False
    """the base is an earlier state of a branch that is not the main one"""
    target_branch: str = ""
    """the branch into which the change goes, where `base` is not its newest commit"""
    target_commit: str | None = None
    """full id of that branch's newest commit, where the event names it"""
    reason: str = "this is no run of a CI"
    """where the base is from, or why there is none"""
    head: str | None = None
    """full id of the change's own newest commit"""
    commit: str | None = None
    """full id of the commit that the CI runs for; of the base, in the events that run with its rights"""
    pull_request: int | None = None
    """number of the pull or merge request"""
    is_fork: bool = False
    """the change comes from another repository"""
    repository: str = ""
    """`owner/name`"""
    server_url: str = ""
    """address of the web pages, without a slash at its end"""
    api_url: str = ""
    """address of the API, without a slash at its end"""


class _Payload(BaseModel):
    """A part of a payload: fields that are not needed are not read."""

    model_config = ConfigDict(defer_build=True, extra="ignore", frozen=True)


class _Repository(_Payload):
    full_name: str


class _Side(_Payload):
    sha: CommitId
    repo: _Repository | None = None
    """null where the fork was deleted"""


class _PullRequest(_Payload):
    number: int
    base: _Side
    head: _Side


class _PullRequestPayload(_Payload):
    pull_request: _PullRequest
    repository: _Repository


class _MergeGroup(_Payload):
    base_sha: CommitId
    head_sha: CommitId


class _MergeGroupPayload(_Payload):
    merge_group: _MergeGroup


class _PushedRepository(_Payload):
    default_branch: str | None = None


class _PushPayload(_Payload):
    before: CommitId
    after: CommitId
    forced: bool = False
    ref: str = ""
    repository: _PushedRepository | None = None


class _WorkflowRun(_Payload):
    head_sha: CommitId
    head_repository: _Repository | None = None


class _WorkflowRunPayload(_Payload):
    workflow_run: _WorkflowRun
    repository: _Repository


PayloadModel = TypeVar("PayloadModel", bound=_Payload)


def read_event(environ: Mapping[str, str]) -> Event:
    """The event of this run. Raises Misconfigured if its payload is not what the CI documents."""
    if environ.get("GITHUB_EVENT_NAME"):
        return _read_github_event(environ)
    if environ.get("GITLAB_CI"):
        return _read_gitlab_event(environ)
    return Event()


def _read_github_event(environ: Mapping[str, str]) -> Event:
    name = environ["GITHUB_EVENT_NAME"]
    event = Event(
        name,
        "github",
        reason=f"the event `{name}` has no base",
        commit=environ.get("GITHUB_SHA") or None,
        repository=environ.get("GITHUB_REPOSITORY", ""),
        server_url=environ.get("GITHUB_SERVER_URL", "https://github.com").rstrip("/"),
        api_url=environ.get("GITHUB_API_URL", "https://api.github.com").rstrip("/"),
    )
    add_payload = _PAYLOAD_READERS.get(name)
    if add_payload is None:
        return event
    payload_file = environ.get("GITHUB_EVENT_PATH")
    if not payload_file:
        return replace(event, reason=f"GITHUB_EVENT_PATH is not set, so the base of `{name}` is not known")
    return add_payload(event, Path(payload_file))


def _add_pull_request(event: Event, file: Path) -> Event:
    payload = _read_payload(_PullRequestPayload, file, event.name)
    pull_request = payload.pull_request
    return replace(
        event,
        base=pull_request.base.sha,
        reason=f"the base of pull request {pull_request.number}",
        head=pull_request.head.sha,
        pull_request=pull_request.number,
        is_fork=_is_fork(pull_request.head.repo, payload.repository),
        repository=event.repository or payload.repository.full_name,
    )


def _add_merge_group(event: Event, file: Path) -> Event:
    group = _read_payload(_MergeGroupPayload, file, event.name).merge_group
    return replace(
        event, base=group.base_sha, is_exact=True, reason="the base of the merge group", head=group.head_sha
    )


def _add_push(event: Event, file: Path) -> Event:
    push = _read_payload(_PushPayload, file, event.name)
    event = replace(event, head=push.after)
    if _is_zero(push.before):
        return replace(event, reason="the push made the branch or tag: there is nothing before it")
    if push.forced:
        return replace(event, reason="the push was forced: what was there before is no base")
    main = push.repository.default_branch if push.repository is not None else None
    is_own_branch = main is not None and push.ref not in ("", f"refs/heads/{main}")
    return replace(
        event,
        base=push.before,
        is_exact=True,
        is_own_branch=is_own_branch,
        reason="what was there before the push",
    )


def _add_workflow_run(event: Event, file: Path) -> Event:
    payload = _read_payload(_WorkflowRunPayload, file, event.name)
    run = payload.workflow_run
    return replace(event, head=run.head_sha, is_fork=_is_fork(run.head_repository, payload.repository))


_PAYLOAD_READERS: Mapping[str, Callable[[Event, Path], Event]] = {
    "pull_request": _add_pull_request,
    "pull_request_target": _add_pull_request,
    "pull_request_review": _add_pull_request,
    "merge_group": _add_merge_group,
    "push": _add_push,
    "workflow_run": _add_workflow_run,
}


def _is_fork(source: _Repository | None, repository: _Repository) -> bool:
    """Whether the change comes from another repository, or from one that was deleted."""
    return source is None or source.full_name != repository.full_name


def _is_zero(commit: str) -> bool:
    """Whether it is the id that stands for no commit."""
    return not commit.strip("0")


def _read_payload(model: type[PayloadModel], file: Path, name: str) -> PayloadModel:
    """What the event's file says. Raises Misconfigured with the first thing that is wrong with it."""
    try:
        with file.open("rb") as stream:
            text = stream.read(MAX_PAYLOAD_BYTES)
        return model.model_validate_json(text)
    except OSError as error:
        problem = f"could not be read: {error.strerror or error}"
    except ValidationError as error:
        problem = f"is not what GitHub sends: {_first_error(error)}"
    raise Misconfigured(
        f"The payload of the event `{name}` {problem}.",
        where=f"GITHUB_EVENT_PATH ({file})",
        advice="The runner writes this file. In a container of your own, mount it, or unset the variable.",
    )


def _first_error(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    key = ".".join(map(str, first["loc"]))
    return f"`{key}`: {first['msg']}" if key else first["msg"]


def _read_gitlab_event(environ: Mapping[str, str]) -> Event:
    """GitLab's event, all of which stands in variables."""
    name = environ.get("CI_PIPELINE_SOURCE", "pipeline")
    number = environ.get("CI_MERGE_REQUEST_IID", "")
    base, reason = _find_gitlab_base(environ, name, number)
    source = environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH")
    is_push = name == "push"
    return Event(
        name,
        "gitlab",
        base=base,
        is_exact=base is not None,
        may_be_forced=is_push,
        is_own_branch=is_push and environ.get("CI_COMMIT_BRANCH") != environ.get("CI_DEFAULT_BRANCH"),
        target_branch=environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", ""),
        target_commit=_read_commit(environ, "CI_MERGE_REQUEST_TARGET_BRANCH_SHA"),
        reason=reason,
        head=_read_commit(environ, "CI_COMMIT_SHA"),
        commit=_read_commit(environ, "CI_COMMIT_SHA"),
        pull_request=int(number) if number.isdecimal() else None,
        is_fork=bool(source) and source != environ.get("CI_MERGE_REQUEST_PROJECT_PATH"),
        repository=environ.get("CI_PROJECT_PATH", ""),
        server_url=environ.get("CI_SERVER_URL", "").rstrip("/"),
        api_url=environ.get("CI_API_V4_URL", "").rstrip("/"),
    )


def _find_gitlab_base(environ: Mapping[str, str], name: str, number: str) -> tuple[str | None, str]:
    """The base of a merge request or push, and where it is from; or None, and why there is none."""
    base = _read_commit(environ, "CI_MERGE_REQUEST_DIFF_BASE_SHA")
    if base is not None:
        return base, f"the base of merge request {number}"
    before = _read_commit(environ, "CI_COMMIT_BEFORE_SHA")
    if before is not None and name == "push":
        return before, "what was there before the push"
    return None, f"the pipeline's source `{name}` has no base"


def _read_commit(environ: Mapping[str, str], variable: str) -> str | None:
    """The commit id in a variable; None if it is zero, or not an id."""
    text = environ.get(variable, "")
    return text if re.fullmatch(COMMIT_ID, text) and not _is_zero(text) else None
