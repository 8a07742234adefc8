"""Refuses to run a stranger's code where the run has more rights than a stranger.

`pull_request_target`, `workflow_run` and `issue_comment` run with the token and secrets of the base. What is
checked out decides: the commit of the base itself may run there, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from migration_gate import git
from migration_gate.ci import event as events
from migration_gate.errors import Misconfigured, UntrustedCode

ALLOW_VARIABLE = "MIGRATION_GATE_ALLOW_UNTRUSTED_CODE"
"""a variable alone: a configuration file could be the stranger's"""
ADVICE = f"""\
Use `on: pull_request`: there a stranger's code has no rights. To comment on pull requests of forks, let \
that run upload its report, and comment from a second workflow that runs none of their code.
If everybody who can open a pull request may use this workflow's token and secrets, say so: \
{ALLOW_VARIABLE}=true, or `allow-untrusted-code: true` for the action."""


def refuse_untrusted_code(folder: Path, environ: Mapping[str, str]) -> None:
    """Raise UntrustedCode where the code in `folder` must not run under this event.

    Files that git ignores are not looked at: virtual environments and caches are among them.
    """
    event = events.read_event(environ)
    if event.name not in events.PRIVILEGED_EVENTS or event.ci != "github" or _allowed(environ):
        return
    head, why = git.run_git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    own = {event.commit, event.base if event.name == "pull_request_target" else None} - {None}
    if why is None and head.strip() in own:
        changed, why = git.run_git(
            folder, "status", "--porcelain", "--no-renames", "--untracked-files=normal"
        )
        if why is None and not changed.strip():
            return
        found = why or f"files in it were changed: {changed.splitlines()[0][3:]}"
    else:
        found = why if why and not why.startswith("git said") else f"commit {head.strip()[:12] or 'unknown'}"
    raise UntrustedCode(
        f"The event `{event.name}` runs with the rights of the base, and what is checked out is not "
        f"the base's own code ({found}): the gate does not run it.",
        where=str(folder),
        advice=ADVICE,
    )


def _allowed(environ: Mapping[str, str]) -> bool:
    text = environ.get(ALLOW_VARIABLE, "").strip().lower()
    if text not in ("", "true", "false"):
        raise Misconfigured(
            f"`{ALLOW_VARIABLE}` must be true or false, but is `{text[:60]}`.",
            where=ALLOW_VARIABLE,
            advice="Mend it.",
        )
    return text == "true"
