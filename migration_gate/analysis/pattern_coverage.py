"""Whether a list of glob patterns matches all that another one matches, as far as the patterns alone tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase


def list_uncovered(patterns: Iterable[str], others: Sequence[str]) -> tuple[str, ...]:
    """The patterns of which the others do not match everything: `a/*.sql` is covered by `a/**`."""
    return tuple(pattern for pattern in patterns if not any(_covers(other, pattern) for other in others))


def _covers(pattern: str, narrower: str) -> bool:
    """Whether what `narrower` matches is matched by `pattern`; false where that is not plain."""
    if pattern == narrower:
        return True
    if "!" in (pattern[:1], narrower[:1]):  # a pattern that takes something out again
        return False
    folder = pattern.removesuffix("**").removesuffix("*") if pattern.endswith("/**") else pattern
    if folder.endswith("/") and narrower.startswith(folder) and not set(folder) & set("*?["):
        return True
    # A `*` in one glob stands for any text, also for the `*` of the other one.
    return "[" not in narrower and "/" not in narrower and fnmatchcase(narrower, pattern)
