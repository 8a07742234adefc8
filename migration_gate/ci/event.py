"""Which event of which CI started the run: what it says of the base, the head and the pull request.

Read from the variables and the payload alone; git is asked in `comparison`. Nothing is guessed: what an event
does not say is None, and `why` says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from migration_gate.errors import Misconfigured

PRIVILEGED_EVENTS = frozenset({"pull_request_target", "workflow_run", "issue_comment"})
"""events that run with the base's rights, and may have anybody's code checked out"""
MAX_PAYLOAD_BYTES = 32 << 20
"""bytes of a payload; GitHub's own limit is 25 MB"""
COMMIT_ID = r"[0-9a-f]{40}|[0-9a-f]{64}"
Sha = Annotated[str, Field(pattern=f"^({COMMIT_ID})$")]


@dataclass(frozen=True, slots=True)
class Event:
    """What started the run."""

    name: str = ""
    """as the CI names it; empty outside of one"""
    ci: str = ""
    """github, gitlab or empty"""
    base: str | None = None
    """full id of the commit that the event names as the base"""
    is_exact: bool = False
    """the base itself is meant, not the newest commit that the head shares with it"""
    reason: str = "this is no run of a CI"
    """where the base is from, or why there is none"""
    head: str | None = None
    """full id of the change's own newest commit"""
    commit: str | None = None
    """full id of the commit that the CI runs for; of the base, in the events that run with its rights"""
    pull_request: int | None = None
    """of the pull or merge request"""
    is_fork: bool = False
    """the change comes from another repository"""
    repository: str = ""
    """`owner/name`"""
    server_url: str = ""
    """address of the web pages, without a slash at its end"""
    api_url: str = ""
    """address of the API, without a slash at its end"""


class _Payload(BaseModel):
    """A part of a payload: what is not needed is not looked at."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Repository(_Payload):
    full_name: str


class _Side(_Payload):
    sha: Sha
    repo: _Repository | None = None
    """null where the fork was deleted"""


class _PullRequest(_Payload):
    number: int
    base: _Side
    head: _Side


class _OfPullRequest(_Payload):
    pull_request: _PullRequest
    repository: _Repository


class _MergeGroup(_Payload):
    base_sha: Sha
    head_sha: Sha


class _OfMergeGroup(_Payload):
    merge_group: _MergeGroup


class _OfPush(_Payload):
    before: Sha
    after: Sha
    forced: bool = False


class _WorkflowRun(_Payload):
    head_sha: Sha
    head_repository: _Repository | None = None


class _OfWorkflowRun(_Payload):
    workflow_run: _WorkflowRun
    repository: _Repository


P = TypeVar("P", bound=_Payload)


def read_event(environ: Mapping[str, str]) -> Event:
    """The event of this run. Raises Misconfigured where its payload is not what the CI promises."""
    if environ.get("GITHUB_EVENT_NAME"):
        return _github(environ)
    if environ.get("GITLAB_CI"):
        return _gitlab(environ)
    return Event()


def _github(environ: Mapping[str, str]) -> Event:
    name = environ["GITHUB_EVENT_NAME"]
    known = Event(
        name,
        "github",
        reason=f"the event `{name}` has no base",
        commit=environ.get("GITHUB_SHA") or None,
        repository=environ.get("GITHUB_REPOSITORY", ""),
        server_url=environ.get("GITHUB_SERVER_URL", "https://github.com").rstrip("/"),
        api_url=environ.get("GITHUB_API_URL", "https://api.github.com").rstrip("/"),
    )
    payload = environ.get("GITHUB_EVENT_PATH")
    told = _READERS.get(name)
    if told is None:
        return known
    if not payload:
        return replace(known, reason=f"GITHUB_EVENT_PATH is not set, so the base of `{name}` is not known")
    return told(known, Path(payload))


def _pull_request(event: Event, file: Path) -> Event:
    told = _payload(_OfPullRequest, file, event.name)
    change = told.pull_request
    source = change.head.repo
    return replace(
        event,
        base=change.base.sha,
        reason=f"the base of pull request {change.number}",
        head=change.head.sha,
        pull_request=change.number,
        is_fork=source is None or source.full_name != told.repository.full_name,
        repository=event.repository or told.repository.full_name,
    )


def _merge_group(event: Event, file: Path) -> Event:
    group = _payload(_OfMergeGroup, file, event.name).merge_group
    return replace(
        event, base=group.base_sha, is_exact=True, reason="the base of the merge group", head=group.head_sha
    )


def _push(event: Event, file: Path) -> Event:
    told = _payload(_OfPush, file, event.name)
    if not told.before.strip("0"):
        return replace(
            event, head=told.after, reason="the push made the branch or tag: there is nothing before it"
        )
    if told.forced:
        return replace(event, head=told.after, reason="the push was forced: what was there before is no base")
    return replace(
        event, base=told.before, is_exact=True, reason="what was there before the push", head=told.after
    )


def _workflow_run(event: Event, file: Path) -> Event:
    told = _payload(_OfWorkflowRun, file, event.name)
    run = told.workflow_run
    source = run.head_repository
    fork = source is None or source.full_name != told.repository.full_name
    return replace(event, head=run.head_sha, is_fork=fork)


_READERS = {
    "pull_request": _pull_request,
    "pull_request_target": _pull_request,
    "pull_request_review": _pull_request,
    "merge_group": _merge_group,
    "push": _push,
    "workflow_run": _workflow_run,
}


def _payload(model: type[P], file: Path, name: str) -> P:
    """What the event's file says; Misconfigured with the first thing that is wrong with it."""
    where = f"GITHUB_EVENT_PATH ({file})"
    advice = (
        "It is the runner that writes this file. In a container of your own, mount it, or unset the variable."
    )
    try:
        with file.open("rb") as stream:
            text = stream.read(MAX_PAYLOAD_BYTES)
        return model.model_validate_json(text)
    except OSError as error:
        says = f"The payload of the event `{name}` could not be read: {error.strerror or error}."
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        what = f"`{key}`: {first['msg']}" if key else first["msg"]
        says = f"The payload of the event `{name}` is not what GitHub sends: {what}."
    raise Misconfigured(says, where=where, advice=advice)


def _gitlab(environ: Mapping[str, str]) -> Event:
    """GitLab says all of it in variables; an id of zeroes is none, and so is what is no id at all."""

    def sha(name: str) -> str | None:
        text = environ.get(name, "")
        return text if text.strip("0") and re.fullmatch(COMMIT_ID, text) else None

    request, before = sha("CI_MERGE_REQUEST_DIFF_BASE_SHA"), sha("CI_COMMIT_BEFORE_SHA")
    name = environ.get("CI_PIPELINE_SOURCE", "pipeline")
    number = environ.get("CI_MERGE_REQUEST_IID", "")
    why = f"the pipeline's source `{name}` has no base"
    if request:
        why = f"the base of merge request {number}"
    elif before and name == "push":
        request, why = before, "what was there before the push"
    source = environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH")
    return Event(
        name,
        "gitlab",
        base=request,
        is_exact=bool(request),
        reason=why,
        head=sha("CI_COMMIT_SHA"),
        commit=sha("CI_COMMIT_SHA"),
        pull_request=int(number) if number.isdecimal() else None,
        is_fork=bool(source) and source != environ.get("CI_MERGE_REQUEST_PROJECT_PATH"),
        repository=environ.get("CI_PROJECT_PATH", ""),
        server_url=environ.get("CI_SERVER_URL", "").rstrip("/"),
        api_url=environ.get("CI_API_V4_URL", "").rstrip("/"),
    )
