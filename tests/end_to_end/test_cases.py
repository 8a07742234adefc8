"""Small projects that went wrong once: each is judged as its `expected.json` and its README say.

They lie outside the repository: in `MIGRATION_GATE_CASES`, or `../shared/cases`.
"""

from __future__ import annotations

import fnmatch
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.project_files import commit_all
from tests.support.project_interpreters import venv
from tests.support.release_tests import spread_over_every_run
from tests.support.user_project import COMMAND, World

CASES = Path(os.environ.get("MIGRATION_GATE_CASES", Path(__file__).parents[3] / "shared" / "cases"))
NAMES = sorted(path.parent.name for path in CASES.glob("*/expected.json"))
REQUIREMENTS = (
    "alembic",
    "sqlalchemy",
    "psycopg[binary]",
    "psycopg2-binary",
    "asyncpg",
    "pg8000",
    "greenlet",
    "alembic-utils",
    "flask-migrate",
    "flask-sqlalchemy",
    "pgvector",
    "python-decouple",
    "python-dotenv",
)
"""those of all cases together"""
WAITS = {"not-null-without-default"}
"""cases that belong to what is not built yet"""
OTHER_ERRORS: dict[str, set[str]] = {
    "type-change-without-cast": {"drift"},  # the CHECK of the model that the revision does not make
    "duplicate-revision-id": {"drift"},  # of what only one of the two files makes
}
"""checks that may report further errors, by case"""
WORDS: dict[str, tuple[str, ...]] = {
    "alembic-utils-view-and-function": ('"line": 11', '"line": 12'),
    "computed-column-with-index": ("op.create_index(op.f('ix_lines_total')",),
    "extension-not-available": ("postgres: pgvector/pgvector:pg", "CREATE EXTENSION IF NOT EXISTS vector"),
    "frozen-now": ("evaluated once", "sa.func.now()"),
    "long-revision-id": ("version_num` holds 32 characters", '"line": 6'),
    "models-not-imported": ("import app.chats", "app/chats.py"),
    "newer-postgres-function": ("of PostgreSQL 18; this server is",),
    "reflection-at-import": ("reads `logs` from the database", "DeferredReflection", "start_from:"),
    "secret-file": ("outside the repository", "DB_PASSWORD_FILE: ci/db_password"),
    "set-role-in-env": ("prepare:", "- sql: CREATE ROLE app_owner"),
    "table-made-twice": ("Revision `0001` has made it already",),
    "type-change-without-cast": ("postgresql_using='ok <> 0'", "postgresql_using='ok::integer'"),
    "x-argument": ("x: [tenant=VALUE]",),
}
"""what the report must say somewhere, by case: the READMEs' demands on messages and fixes"""
UNSAID: dict[str, tuple[str, ...]] = {
    "computed-column-with-index": ("No lines are offered",),
    "frozen-now": ("timestamp with time zone'", "+00'"),
    "type-change-without-cast": ("No lines are offered",),
    "view-for-table": ("op.create_table('pairs'",),
    "pyproject-template": ("another history",),
    "secret-file": ("Look at the frames",),
    "x-argument": ("`env:`", "Look at the frames"),
    "decouple": ("Look at the frames", "not found"),
    "duplicate-revision-id": ("2 heads", "alembic merge", "never runs"),
    "models-not-imported": ("op.drop_table(", "document_chunk"),
    "search-path-in-revision": ("committed none",),
    "table-made-twice": ("create_all",),
}
"""what the report must not say anywhere, by case"""

pytestmark = [pytest.mark.slow]


@dataclass(frozen=True)
class CaseReport:
    """What the command said of one case."""

    status: int
    report: dict[str, Any]
    text: str

    @property
    def verdicts(self) -> list[dict[str, Any]]:
        """Those of all projects."""
        return [verdict for project in self.report["projects"] for verdict in project["verdicts"]]


@pytest.mark.skipif(bool(NAMES), reason="the cases are here")
def test_the_cases_are_here() -> None:
    pytest.skip(f"SKIPPED LOUDLY: no cases at {CASES} (MIGRATION_GATE_CASES)")


@pytest.mark.parametrize("name", spread_over_every_run([name for name in NAMES if name not in WAITS], 4))
def test_a_case_is_judged_rightly(name: str, here: World) -> None:
    expected = json.loads((CASES / name / "expected.json").read_text())
    report = judge_case(name, here)
    assert report.status == expected["status"], report.text
    errors = [verdict for verdict in report.verdicts if verdict["blocks"]]
    for finding in expected["findings"]:
        assert any(_matches(verdict, finding) for verdict in report.verdicts), (finding, report.text)
    for finding in expected["absent"]:
        assert not any(_matches(verdict, finding) for verdict in report.verdicts), (finding, report.text)
    further = [
        f"{error['check']}/{error['kind']} {error['object']}"
        for error in errors
        if not any(_matches(error, finding) for finding in expected["findings"])
        and error["check"] not in OTHER_ERRORS.get(name, ())
    ]
    assert further == [], report.text
    text = " ".join(report.text.split())
    assert [words for words in WORDS.get(name, ()) if words not in text] == [], report.text
    assert [words for words in UNSAID.get(name, ()) if words in text] == [], report.text


def judge_case(name: str, here: World) -> CaseReport:
    """Copy the case as its owner would have it, and run the command on it without a configuration."""
    environment = Path(venv("cases", *REQUIREMENTS)).parents[1]
    shutil.copytree(CASES / name, here.project)
    commit_all(here.project, "all")
    done = subprocess.run(
        [COMMAND, "check", str(here.project), "--format", "json"],
        env=here.environment(VIRTUAL_ENV=str(environment)),
        cwd="/",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert "Traceback" not in done.stderr, done.stderr
    here.demand_nothing_left()
    report = json.loads(done.stdout)
    return CaseReport(done.returncode, report, json.dumps(report, indent=1, ensure_ascii=False))


def _matches(verdict: dict[str, Any], finding: dict[str, Any]) -> bool:
    """Whether a verdict is what a finding of `expected.json` describes."""
    return (
        fnmatch.fnmatch(verdict["check"], finding["check"])
        and finding["kind"] in (None, verdict["kind"])
        and fnmatch.fnmatch(verdict["object"], finding["at"])
    )
