"""A cluster of an earlier run, with databases in it, from which a local server can be started."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SavedCluster:
    """Where it is, and how to get in."""

    data: Path
    log: Path
    """of the server that ran on it: the new server's log goes on from there"""
    password: str
    """of the superuser"""
    files: int
    bytes: int
    """what it must have, for the copy to be complete"""
    is_intact: Callable[[], bool]
    """reads all of it; called while it is copied"""
