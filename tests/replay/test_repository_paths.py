"""How findings name files."""

from __future__ import annotations

from pathlib import Path

import pytest

from migration_gate.replay.repository_paths import RepositoryPaths


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("{root}/app/models.py", "app/models.py"),
        ("{root}/app//models.py", "app/models.py"),
        ("{root}/./models.py", "models.py"),
        ("{root}/app/../models.py", "app/../models.py"),  # `app` may be a link
        ("{root}/", "."),
        ("{root}", "."),
        ("{root}-old/models.py", "{root}-old/models.py"),
        ("/usr/lib/models.py", "/usr/lib/models.py"),
        ("models.py", "models.py"),
    ],
)
def test_files_of_the_repository_are_named_from_its_top(tmp_path: Path, file: str, name: str) -> None:
    root = tmp_path.resolve()
    assert RepositoryPaths(tmp_path).shorten(file.format(root=root)) == name.format(root=root)
