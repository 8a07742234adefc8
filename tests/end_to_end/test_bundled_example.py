"""The whole command on the bundled example, and its three verdicts on a small one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.user_project import MARK, MODELS, WIDEN, World, commit, project, revision

pytestmark = pytest.mark.slow
EXAMPLES = Path(__file__).parents[2] / "examples"


def laid(here: World, variant: str) -> World:
    """A copy of the example, as `make demo` and its siblings lay it."""
    command = [sys.executable, str(EXAMPLES / "copy_variant.py"), variant, str(here.project)]
    subprocess.run(command, check=True, capture_output=True)
    link = here.project / ".venv"
    link.unlink(missing_ok=True)
    link.symlink_to(sys.prefix)
    return here


def findings(here: World, *options: str) -> dict[str, list[str]]:
    """What the report for machines says: each check with the objects of its findings."""
    done = subprocess.run(
        [here.command()[0], "check", str(here.project), "--format", "json", *options],
        env=here.environment(), capture_output=True, text=True, check=False, timeout=90,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    found: dict[str, list[str]] = {}
    for each in json.loads(done.stdout)["projects"][0]["verdicts"]:
        found.setdefault(each["check"], []).append(each["object"])
    here.demand_nothing_left()
    return found


def test_the_example_passes(here: World) -> None:
    skipped = shutil.ignore_patterns(".venv", "__pycache__")
    shutil.copytree(EXAMPLES / "media-library", here.project, ignore=skipped)
    commit(here.project)
    ran = here.check()
    assert (ran.status, ran.complaints) == (0, ""), ran.said
    assert "15 revisions" in ran.out
    assert "Passed: " in ran.out


def test_the_broken_example_has_findings_of_each_main_kind(here: World) -> None:
    found = findings(laid(here, "broken"))
    assert {"raw-sql-file", "drift", "nullable-owner"} <= set(found)


def test_the_failing_example_names_the_revision(here: World) -> None:
    assert set(findings(laid(here, "failing"))) == {"failing-upgrade"}


OWNED = """

class Note(Base):
    __tablename__ = "note"
    id = Column(Integer, primary_key=True)
    owner_id = Column(Integer, index=True)
"""
NOTE = """
op.create_table("note", sa.Column("id", sa.Integer, primary_key=True), sa.Column("owner_id", sa.Integer))
op.create_index("ix_note_owner_id", "note", ["owner_id"])
"""


def test_findings_of_each_main_kind_name_the_object_or_file(here: World) -> None:
    files = project(
        models_py=MODELS.replace("String(50)", "String(60)") + OWNED,
        two_py=revision("two", "one", WIDEN + "\n" + NOTE),
        **{"sql/patch.sql": "alter table item add column price int;\n"},
    )
    here.lay(files)
    found = findings(here, "--python", sys.executable)
    assert found["raw-sql-file"] == ["sql/patch.sql"]
    assert found["drift"] == ["item.name"]
    assert found["nullable-owner"] == ["note.owner_id"]


def test_a_report_in_a_file_does_not_change_the_exit_status(here: World) -> None:
    here.lay(project(two_py=None))
    report = here.top / "reports" / "gate.txt"
    ran = here.check("--output", str(report))
    assert (ran.status, ran.out) == (1, ""), ran.said
    assert "item.name" in report.read_text()


def test_the_projects_code_sees_no_token_of_the_runner(here: World) -> None:
    code = f"""
import os

seen = [name for name in os.environ if name.startswith(("GITHUB_", "INPUT_", "ACTIONS_", "MIGRATION_GATE_"))]
assert not seen, seen
assert os.environ[{MARK!r}]
"""
    here.lay(project(settings_py=code + 'URL = "postgresql://db.invalid/app"\n'))
    tokens = {"GITHUB_TOKEN": "x", "ACTIONS_RUNTIME_TOKEN": "x", "INPUT_PATH": "x"}
    ran = here.check(env={**tokens, "MIGRATION_GATE_FAIL_ON": "error"})
    assert (ran.status, ran.complaints) == (0, ""), ran.said


def test_runs_at_the_same_time_do_not_disturb_each_other(here: World) -> None:
    """Four at once, on one project and one cache."""
    here.lay(project())
    runs = [here.start() for _ in range(4)]
    said = [run.communicate(timeout=90) for run in runs]
    assert [run.returncode for run in runs] == [0] * 4, said
    here.demand_nothing_left()
