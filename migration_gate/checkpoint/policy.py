"""Whether a run begins from a checkpoint, and whether it writes one."""

from __future__ import annotations

from collections.abc import Mapping

from migration_gate.ci.event import read_event
from migration_gate.config.gate_variables import in_image
from migration_gate.config.settings import Settings
from migration_gate.errors import GateError
from migration_gate.lazy_dataclass import dataclass
from migration_gate.postgres.server_choice import ServerChoice, ServerKind

REMOTE_KINDS = (ServerKind.IMAGE, ServerKind.URL)
PULL_REQUEST = "pull_request"
PUSH = "push"


@dataclass(frozen=True, slots=True)
class CheckpointUse:
    """What a run does with checkpoints."""

    begins_from: bool = False
    """it may begin from one"""
    writes: bool = False
    """it may write one"""
    compares: bool = False
    """it replays everything, and compares that with the checkpoint where there is one"""


NO_USE = CheckpointUse()


def choose_use(settings: Settings, choice: ServerChoice, environ: Mapping[str, str]) -> CheckpointUse:
    """What this run may do, by the settings and by what started it.

    In a CI other than GitHub nothing keeps a cache folder between runs that only the default branch may
    write to.
    """
    if settings.checkpoint == "off" or not _can_be_restored(settings, choice):
        return NO_USE
    begins_from, writes = _choose_by_event(environ)
    begins_from = begins_from and settings.checkpoint == "auto"
    is_ci = bool(environ.get("CI")) and environ.get("GITHUB_ACTIONS") != "true"
    return CheckpointUse(begins_from, writes, compares=not begins_from and not is_ci)


def _can_be_restored(settings: Settings, choice: ServerChoice) -> bool:
    """Whether all that the old revisions left is in one cluster of this machine."""
    starts_elsewhere = settings.start_from is not None and settings.start_from.create_all is not None
    runs_code = any(step.kind in ("python", "run") for step in settings.prepare)
    return not (
        choice.kind in REMOTE_KINDS
        or (in_image() and settings.cache is None)
        or settings.other_databases
        or starts_elsewhere
        or runs_code
        or "all" in (settings.rollback, settings.snapshots, settings.observe)
    )


def _choose_by_event(environ: Mapping[str, str]) -> tuple[bool, bool]:
    """Whether the run may begin from a checkpoint, and whether it may write one."""
    if environ.get("GITHUB_ACTIONS") != "true":
        is_laptop = not environ.get("CI")
        return is_laptop, is_laptop
    try:
        event = read_event(environ)
    except GateError:
        return False, False
    # Of a push that was forced, or made its branch, the event's reading does not say which branch it is.
    is_default_branch = event.name == PUSH and event.is_exact and not event.is_own_branch
    return event.name == PULL_REQUEST, is_default_branch
