"""What a replay depends on beside the repository changes the digest; what each session changes does not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from migration_gate.checkpoint.surroundings import compute_surroundings
from migration_gate.config.settings import Settings
from migration_gate.postgres.server_choice import ServerChoice, ServerKind
from migration_gate.project.model import Project
from tests.support.project_files import write_files

PACKAGES = ".venv/lib/python3.12/site-packages"
FILES = {
    "alembic.ini": "[alembic]\n",
    ".venv/pyvenv.cfg": "home = /usr/bin\nversion = 3.12.1\n",
    ".venv/bin/python": "",
    f"{PACKAGES}/tables-1.0.dist-info/RECORD": "tables.py,sha256=a,1\n",
    f"{PACKAGES}/tables-1.0.dist-info/direct_url.json": '{"vcs_info": {"commit_id": "a"}}',
    f"{PACKAGES}/sibling.pth": "/srv/one\n",
}


def compute(folder: Path, environ: Mapping[str, str]) -> str:
    settings = Settings("shop", folder, folder)
    project = Project("shop", folder, folder, folder / ".venv/bin/python", "ini", folder / "alembic.ini")
    choice = ServerChoice(ServerKind.LOCAL, "", None, "")
    digest = compute_surroundings(settings, project, choice, environ)
    assert digest is not None
    return digest


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("DATABASE_SCHEMA", True),
        ("HISTORY_DAYS", True),
        ("TERMS_VERSION", True),
        ("MAKER", True),
        ("WINDOWS_PER_DAY", True),
        ("LESSONS", True),
        ("TERM", False),
        ("COLORTERM", False),
        ("SSH_CLIENT", False),
        ("HISTFILE", False),
        ("PWD", False),
    ],
)
def test_variables_of_the_project_count(tmp_path: Path, name: str, counts: bool) -> None:
    write_files(tmp_path, FILES)
    assert (compute(tmp_path, {name: "a"}) != compute(tmp_path, {name: "b"})) is counts


@pytest.mark.parametrize("path", sorted(FILES.keys() - {".venv/bin/python", ".venv/pyvenv.cfg"}))
def test_configuration_and_packages_count(tmp_path: Path, path: str) -> None:
    """A package may have the same version when it was installed from another commit."""
    write_files(tmp_path, FILES)
    before = compute(tmp_path, {})
    assert compute(tmp_path, {}) == before
    (tmp_path / path).write_text("other\n")
    assert compute(tmp_path, {}) != before
