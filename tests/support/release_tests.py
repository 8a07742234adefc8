"""Which values of a parameter are tested in every run, and which before a release only."""

from __future__ import annotations

from collections.abc import Iterable

import pytest


def first_in_every_run(values: Iterable[object], kept: int) -> list[object]:
    """The values for `parametrize`: the first `kept` are tested in every run, the others before a release.

    For values that show the same thing again in another form; what shows something of its own stays.
    """
    items = list(values)
    return [*items[:kept], *(_mark_for_release(item) for item in items[kept:])]


def spread_over_every_run(values: Iterable[object], step: int) -> list[object]:
    """The values for `parametrize`: each `step`-th is tested in every run, the others before a release.

    For many values of one kind, whose tests take long; their order has nothing to do with their weight.
    """
    return [item if number % step == 0 else _mark_for_release(item) for number, item in enumerate(values)]


def _mark_for_release(value: object) -> object:
    values = value if isinstance(value, tuple) else (value,)
    return pytest.param(*values, marks=pytest.mark.release)
