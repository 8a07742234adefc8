"""A difference is shown at the line that makes it: of a revision's statement, or of a model's part."""

from __future__ import annotations

import pytest

from benchmarks.drift.line_measurement import measure_lines


@pytest.mark.slow
def test_every_difference_of_a_project_is_shown_at_the_line_that_makes_it() -> None:
    measured = measure_lines()
    assert measured.wrong == ()
    assert len(measured.expected) > 40
