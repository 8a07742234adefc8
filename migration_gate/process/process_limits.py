"""What a process must be allowed for a run: a server and an interpreter need files, processes, accounts."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from migration_gate.errors import Misconfigured

CAPABILITIES = {"CHOWN": 0, "DAC_OVERRIDE": 1, "KILL": 5, "SETGID": 6, "SETUID": 7}
"""what root needs to run the server and the project's code as others, and its bit (see capabilities(7))"""
OWN_FOLDER = Path("/proc/self")
MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of this process that is raised as far as its user may."""

    number: int
    """`resource.RLIMIT_…`"""
    required: int
    wanted: int
    """resource.RLIM_INFINITY where only that is enough for everybody"""
    unit: str
    """what is counted, for people"""
    option: str
    """of `ulimit`"""
    docker_name: str
    divisor: int = 1
    """how many are one of `unit`"""


LIMITS = (
    # Postgres refuses to start with fewer open files than about 60, and counts those that it was given.
    Limit(resource.RLIMIT_NOFILE, 128, 1024, "open files at a time", "-n", "nofile"),
    # A segment of Postgres' log of changes has 16 MB, a table soon more.
    Limit(
        resource.RLIMIT_FSIZE, 64 * MEGABYTE, resource.RLIM_INFINITY, "MB in a file", "-f", "fsize", MEGABYTE
    ),
    # About 20 of the server, 10 of the gate and the project; all others of the user count as well.
    Limit(resource.RLIMIT_NPROC, 64, 1024, "processes at a time", "-u", "nproc"),
)


def verify_process_limits() -> None:
    """Raise this process's limits as far as its user may.

    Raises Misconfigured if one stays too low, or if root lacks a right that it usually has.
    """
    for limit in LIMITS:
        is_exempt = limit.number == resource.RLIMIT_NPROC and os.geteuid() == 0
        if not is_exempt:
            _raise_limit(limit)
    if os.geteuid() == 0 and (OWN_FOLDER / "status").exists():
        _verify_rights_of_root()


def _raise_limit(limit: Limit) -> None:
    soft, hard = resource.getrlimit(limit.number)
    allowed = _lower_limit(hard, limit.wanted)
    if _lower_limit(soft, allowed) != allowed:
        resource.setrlimit(limit.number, (allowed, hard))
        soft = allowed
    if _lower_limit(soft, limit.required) == limit.required:
        return
    words, docker_words = (str(limit.wanted),) * 2
    if limit.wanted == resource.RLIM_INFINITY:
        words, docker_words = "unlimited", "-1"
    raise Misconfigured(
        f"A run needs at least {limit.required // limit.divisor} {limit.unit}, and the limit is "
        f"{soft // limit.divisor}.",
        where=f"ulimit {limit.option}",
        advice=f"Raise it: `ulimit {limit.option} {words}`, or in Docker "
        f"`--ulimit {limit.docker_name}={docker_words}`.",
    )


def _lower_limit(first: int, second: int) -> int:
    """The lower of two limits; RLIM_INFINITY, which may be negative, is above all others."""
    return min(first, second, key=lambda limit: (limit == resource.RLIM_INFINITY, limit))


def _verify_rights_of_root() -> None:
    advice = "Let another user run it, in Docker with `--user 1000`"
    if missing := tuple(_list_missing_capabilities()):
        raise Misconfigured(
            "The gate is root, has to run Postgres and the project's code as other users, and may not: it "
            f"lacks {', '.join(missing)}.",
            where="capabilities",
            advice=f"{advice}; or give these rights, with "
            f"`{' '.join(f'--cap-add {name}' for name in missing)}`.",
        )
    ranges = [line.split() for line in (OWN_FOLDER / "uid_map").read_text().splitlines()]
    if sum(int(size) for _, _, size in ranges) == 1:
        raise Misconfigured(
            "The gate is root, has to run Postgres and the project's code as other users, and its namespace "
            "has none.",
            where="/proc/self/uid_map",
            advice=f"{advice}, or outside of `unshare`.",
        )


def _list_missing_capabilities() -> Iterator[str]:
    lines = (line.split(":", 1) for line in (OWN_FOLDER / "status").read_text().splitlines() if ":" in line)
    effective = int(dict(lines).get("CapEff", "ffffffff"), 16)
    yield from (name for name, bit in CAPABILITIES.items() if not effective >> bit & 1)
