"""Refuses to run the code of a fork where the run has more rights than the fork.

`pull_request_target`, `workflow_run` and `issue_comment` run with the token and secrets of the base. What is
checked out decides: the commit of the base itself may run there, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from migration_gate.ci.event import PRIVILEGED_EVENTS, Event, read_event
from migration_gate.errors import Misconfigured, UntrustedCode
from migration_gate.git.git_command import run_git

ALLOW_VARIABLE = "MIGRATION_GATE_ALLOW_UNTRUSTED_CODE"
"""a variable alone, because a configuration file could come from the fork"""
ADVICE = f"""\
Use `on: pull_request`: there a fork's code has no rights. To comment on pull requests of forks, let \
that run upload its report, and comment from a second workflow that runs none of their code.
If everybody who can open a pull request may use this workflow's token and secrets, say so: \
{ALLOW_VARIABLE}=true, or `allow-untrusted-code: true` for the action."""


def refuse_untrusted_code(folder: Path, environ: Mapping[str, str]) -> None:
    """Raise UntrustedCode if the code in `folder` must not run under this event.

    Files that git ignores are not looked at: virtual environments and caches are among them.
    """
    event = read_event(environ)
    if event.name not in PRIVILEGED_EVENTS or event.ci != "github" or _is_allowed(environ):
        return
    foreign = _find_foreign_code(folder, event)
    if foreign is not None:
        raise UntrustedCode(
            f"The event `{event.name}` runs with the rights of the base, and what is checked out is not "
            f"the base's own code ({foreign}): the gate does not run it.",
            where=str(folder),
            advice=ADVICE,
        )


def _find_foreign_code(folder: Path, event: Event) -> str | None:
    """What is not the base's own in the checkout, in a few words; None if all of it is."""
    head = run_git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    if head.failure is not None and not head.is_git_error:
        return head.failure
    commit = head.text.strip()
    if commit not in _trusted_commits(event):
        return f"commit {commit[:12] or 'unknown'}"
    status = run_git(folder, "status", "--porcelain", "--no-renames", "--untracked-files=normal")
    if status.failure is not None:
        return status.failure
    changed = status.text.splitlines() if status.text.strip() else []
    return f"files in it were changed: {changed[0][3:]}" if changed else None


def _trusted_commits(event: Event) -> frozenset[str]:
    """The commits of the base: what the event runs for, and in `pull_request_target` its base."""
    base = event.base if event.name == "pull_request_target" else None
    return frozenset(commit for commit in (event.commit, base) if commit)


def _is_allowed(environ: Mapping[str, str]) -> bool:
    text = environ.get(ALLOW_VARIABLE, "").strip().lower()
    if text not in ("", "true", "false"):
        raise Misconfigured(
            f"`{ALLOW_VARIABLE}` must be true or false, but is `{text[:60]}`.",
            where=ALLOW_VARIABLE,
            advice="Set it to one of these.",
        )
    return text == "true"
