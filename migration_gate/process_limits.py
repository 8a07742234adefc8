"""What a process of this machine must be allowed for a run: a server and an interpreter need open files."""

from __future__ import annotations

import resource

from migration_gate.errors import Misconfigured

WANTED_FILES = 1024
REQUIRED_FILES = 128
"""Postgres refuses to start with fewer than about 60, and counts those that it was given"""


def allow_open_files() -> None:
    """Raise the limit of open files as far as this user may. Raises Misconfigured if it stays too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= WANTED_FILES:
        return
    allowed = WANTED_FILES if hard == resource.RLIM_INFINITY else min(WANTED_FILES, hard)
    if allowed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    limit = max(allowed, soft)
    if limit < REQUIRED_FILES:
        raise Misconfigured(
            f"A run needs at least {REQUIRED_FILES} open files at a time; found a limit of {limit}.",
            where="ulimit -n",
            advice=f"Raise it: `ulimit -n {WANTED_FILES}`, or in Docker `--ulimit nofile={WANTED_FILES}`.",
        )
