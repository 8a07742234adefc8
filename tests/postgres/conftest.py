"""Where the servers of these tests have their files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from migration_gate.postgres.run_directory import temporary_run_directory


@pytest.fixture
def run_folder() -> Iterator[Path]:
    """The folder of one run, as the gate makes it: in memory where there is room."""
    with temporary_run_directory() as folder:
        yield folder
