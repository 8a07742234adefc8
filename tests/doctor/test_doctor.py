"""`doctor --write-hook` drafts what env.py asks for; `doctor --try` runs env.py once, and reports it all."""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from migration_gate.config.settings import Settings
from migration_gate.doctor.doctor_text import render_text
from migration_gate.doctor.hook_draft import FILE_NAME, write_hook_draft
from migration_gate.doctor.project_examination import Examination
from migration_gate.errors import Misconfigured, ProjectNotFound
from tests.support.project_files import write_files
from tests.support.user_project import COMMAND as GATE
from tests.support.user_project import World, project

ENV = """
from alembic import context
from sqlalchemy import create_engine

config = context.config
engine = config.attributes["engine"]
connection = config.attributes.get("connection")
url = config.database_url
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()
"""
COMMAND = """
def upgrade():
    config = Config()
    config.attributes["engine"] = make_engine()
    config.database_url = settings.url
"""
REVISION = "revision = 'one'\ndown_revision = None\n\n\ndef upgrade():\n    raise SystemExit('never')\n"
FILES = {
    "app/migrations/env.py": ENV,
    "app/migrations/script.py.mako": "",
    "app/migrations/versions/one.py": REVISION,
    "app/database.py": COMMAND,
}


def settings_for(folder: Path) -> Settings:
    return Settings(name="app", root=folder, working_directory=folder)


def test_a_draft_has_what_env_py_asks_for_with_the_place_where_the_project_sets_it(tmp_path: Path) -> None:
    write_files(tmp_path, FILES)
    draft = write_hook_draft(settings_for(tmp_path))
    assert draft.file == tmp_path / FILE_NAME
    text = draft.file.read_text()
    assert 'cfg.set_main_option("script_location", str(ROOT / "app/migrations"))' in text
    assert (
        "# env.py reads it in line 6; app/database.py:4 sets it to `make_engine()`.\n"
        'cfg.attributes["engine"] = sa.create_engine(URL)\n'
    ) in text
    assert '# cfg.attributes["connection"] = None  # env.py makes its own\n' in text
    assert "app/database.py:5 sets it to `settings.url`.\ncfg.database_url = URL\n" in text
    names: dict[str, Any] = runpy.run_path(str(draft.file))
    assert names["cfg"].get_main_option("script_location") == str(tmp_path / "app/migrations")


def test_a_connection_without_which_env_py_fails_is_made_by_the_draft(tmp_path: Path) -> None:
    write_files(tmp_path, {**FILES, "app/migrations/env.py": 'config.attributes["connection"]'})
    text = write_hook_draft(settings_for(tmp_path)).file.read_text()
    assert "import sqlalchemy as sa\n" in text
    assert 'cfg.attributes["connection"] = sa.create_engine(URL).connect()\n' in text


@pytest.mark.parametrize(
    ("env_py", "drafted"),
    [
        (
            "settings = config.attributes.get('settings')\nsettings.database_url",
            'cfg.attributes["settings"] = SimpleNamespace(database_url=URL)  # fill in',
        ),
        (
            "config.app.settings\nconfig.app.get_dsn('main')",
            "cfg.app = SimpleNamespace(settings=None, get_dsn=lambda *_, **__: URL)  # fill in",
        ),
        (
            "settings = config.attributes.get('settings')\nsettings.name if settings else ''\nconfig.app",
            '# cfg.attributes["settings"] = SimpleNamespace(name=None)  # fill in',
        ),
    ],
)
def test_a_draft_gives_objects_with_the_attributes_that_env_py_reads(
    tmp_path: Path, env_py: str, drafted: str
) -> None:
    write_files(tmp_path, {**FILES, "app/migrations/env.py": env_py, "app/alembic.ini": "[alembic]"})
    draft = write_hook_draft(settings_for(tmp_path)).file
    assert f"\n{drafted}" in draft.read_text()
    runpy.run_path(str(draft))


@pytest.mark.parametrize(
    ("files", "error", "words"),
    [
        ({}, ProjectNotFound, "No env.py"),
        ({**FILES, FILE_NAME: ""}, Misconfigured, "is there already"),
        (
            {**FILES, "app/migrations/env.py": "from flask import current_app"},
            Misconfigured,
            "Flask-Migrate's",
        ),
        (
            {**FILES, "app/migrations/env.py": "", "app/alembic.ini": "[alembic]"},
            Misconfigured,
            "asks for nothing",
        ),
    ],
)
def test_no_draft_is_written_where_none_is_needed(
    tmp_path: Path, files: dict[str, str], error: type[Exception], words: str
) -> None:
    write_files(tmp_path, files)
    with pytest.raises(error, match=words):
        write_hook_draft(settings_for(tmp_path))


def diagnose(here: World, *options: str) -> subprocess.CompletedProcess[str]:
    """The command on the project, whose packages the tests' own interpreter has."""
    done = subprocess.run(
        [GATE, "doctor", str(here.project), "--python", sys.executable, *options],
        env=here.environment(), cwd="/", capture_output=True, text=True, check=False, timeout=90,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    here.demand_nothing_left()
    return done


@pytest.mark.slow
def test_a_trial_with_a_drafted_hook_shows_connections_contexts_and_revisions(here: World) -> None:
    write_files(here.project, FILES)
    ran = diagnose(here, "--try", "--write-hook")
    assert ran.returncode == 0, ran
    assert "Nothing is missing: env.py ran to its end." in ran.stdout
    assert "sent to the ephemeral server" in " ".join(ran.stdout.split())
    assert "psycopg2, version table public.alembic_version" in ran.stdout
    assert "1 head: one" in ran.stdout
    assert "1 revision to be replayed" in ran.stdout
    assert max(len(line) for line in ran.stdout.splitlines() if "/" not in line) <= 80


@pytest.mark.slow
def test_a_trial_says_first_what_failed_and_what_to_do(here: World) -> None:
    env_py = "import os\nfrom alembic import context\nos.environ['SHOP_KEY_FILE']\n"
    write_files(here.project, {**FILES, "alembic.ini": "[alembic]\nscript_location = app/migrations\n"})
    write_files(here.project, {"app/migrations/env.py": env_py + "raise RuntimeError('no key')\n"})
    ran = diagnose(here, "--try")
    assert ran.returncode == 2, ran
    first, _, rest = ran.stdout.partition("\nProject\n")
    assert "Missing\n  - " in first
    assert "env.py failed before the first revision" in " ".join(first.split())
    assert "SHOP_KEY_FILE" in ran.stdout
    assert "env.py failed" in rest


def test_a_file_that_has_the_values_of_what_is_not_set_is_named(here: World) -> None:
    settings = "import os\nURL = os.environ['SHOP_URL']\nKEY = os.environ['SHOP_KEY']\n"
    here.lay({**project(settings_py=settings), ".env.example": "SHOP_URL=postgresql://a@b/c\nSHOP_KEY=1\n"})
    ran = diagnose(here)
    assert "env_file: .env.example" in ran.stdout
    assert "SHOP_KEY: …" not in ran.stdout


def test_the_text_says_first_what_is_missing_and_counts_defaults(
    golden: Callable[[str, str], None],
) -> None:
    examination = Examination(
        "shop",
        sections={
            "project": {"found": "ini", "import path": ["/work/shop", "/work/shop/src"]},
            "database url": {
                "required": ["DATABASE_URL  shop/settings.py:12", "SECRET_KEY  shop/settings.py:14, set"],
                "others": "14 variables that the project does without",
                "not set": ["filled with placeholders:", "env:", "  DATABASE_URL: …"],
            },
            "configuration": {"postgres": "17  (--postgres)", "hook": "-  (default)", "x": "-  (default)"},
        },
        missing=[
            {
                "says": "The project's interpreter `/usr/bin/python3` has no alembic and no sqlalchemy.",
                "advice": "Install the project there: `uv sync`.\nOr have the gate install the packages from "
                "`uv.lock`, for Python 3.12 (`.python-version`), when it runs:\n\n    install: auto",
                "where": "/usr/bin/python3",
            }
        ],
    )
    golden("doctor.txt", render_text(examination) + "\n")
