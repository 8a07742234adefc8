"""The file of a new revision is called what `alembic revision` would call it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from migration_gate.config import loading
from migration_gate.corrections.planned_fixes import _find_folder
from migration_gate.corrections.revision_name import RevisionNames, read_revision_names
from migration_gate.facts import Facts, Replay
from tests.support.fact_builders import make_history, make_revision

NOW = datetime(2026, 3, 5, 7, 9, 1)
INI = "[alembic]\nscript_location = migrations\n"
DATED = "file_template = %%(year)d_%%(month).2d_%%(day).2d_%%(hour).2d%%(minute).2d-%%(rev)s_%%(slug)s\n"


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"alembic.ini": INI}, "abc_drift.py"),
        ({"alembic.ini": INI + DATED}, "2026_03_05_0709-abc_drift.py"),
        ({"alembic.ini": f"{INI}# {DATED}"}, "abc_drift.py"),
        ({"alembic.ini": f"[other]\n{DATED}{INI}"}, "abc_drift.py"),
        ({"alembic.ini": f"[DEFAULT]\n{DATED}{INI}"}, "2026_03_05_0709-abc_drift.py"),
        ({"alembic.ini": f"{INI}file_template = %%(year)d/%%(rev)s\n"}, "2026/abc.py"),
        ({"alembic.ini": f"{INI}file_template = %%(rev)s_%%(unknown)s\n"}, "abc_drift.py"),
        ({"alembic.ini": f"{INI}file_template = %%(year)d_%%(slug)s\n"}, "abc_drift.py"),
        (
            {
                "pyproject.toml": '[tool.alembic]\nscript_location = "migrations"\n'
                'file_template = "%%(rev)s-%%(epoch)s"\n'
            },
            f"abc-{int(NOW.timestamp())}.py",
        ),
        (
            {"alembic.ini": INI, "pyproject.toml": '[tool.alembic]\nfile_template = "v_%%(rev)s"\n'},
            "v_abc.py",
        ),
        (
            {"alembic.ini": INI + DATED, "pyproject.toml": '[tool.alembic]\nfile_template = "v_%%(rev)s"\n'},
            "2026_03_05_0709-abc_drift.py",
        ),
        (
            {
                ".flaskenv": "FLASK_APP=app.py\n",
                "app.py": "from flask_migrate import Migrate\nmigrate = Migrate()\n",
                "migrations/alembic.ini": f"[alembic]\n{DATED}",
                "migrations/env.py": "from flask import current_app\n",
            },
            "2026_03_05_0709-abc_drift.py",
        ),
    ],
)
def test_the_project_says_how_its_files_are_called(tmp_path: Path, files: dict[str, str], name: str) -> None:
    for path, text in {"migrations/env.py": "", **files}.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (tmp_path / ".git").mkdir()
    (settings,) = loading.load_settings(tmp_path, {}, {})
    assert read_revision_names(settings).name_file("abc", "drift", NOW) == name


@pytest.mark.parametrize(
    ("template", "folder"),
    [("%(rev)s", "migrations/versions/2025"), ("%(year)d/%(rev)s", "migrations/versions")],
)
def test_folders_of_the_template_are_those_of_the_version_location(
    tmp_path: Path, template: str, folder: str
) -> None:
    history = make_history(make_revision("2025/a1"))
    facts = Facts(replay=Replay(history=history))
    assert _find_folder(facts, tmp_path, RevisionNames(template)) == folder
