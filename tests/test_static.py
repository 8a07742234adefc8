"""`check --static`: what text alone can tell, with nothing imported and nothing started."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.git_repositories import commit, git, started
from tests.test_cli import run

pytestmark = pytest.mark.slow  # each starts another program

INI = "[alembic]\nscript_location = migrations\n"
EXPLODES = "raise SystemExit('imported')\n"


def revision(identifier: str, parent: str | None, extra: str = "") -> str:
    return (
        f'"""step {identifier}"""\n{extra}revision: str = {identifier!r}\ndown_revision = {parent!r}\n'
        f"def upgrade():\n    op.create_table('t_{identifier}')\n{EXPLODES}"
    )


def project(tmp_path: Path, files: Mapping[str, str]) -> Path:
    known = {
        "alembic.ini": INI,
        "migrations/env.py": EXPLODES,
        "migrations/versions/a.py": revision("a1", None),
        "migrations/versions/b.py": revision("b1", "a1"),
    }
    return started(tmp_path / "project", known | dict(files))


def check_static(
    capsys: pytest.CaptureFixture[str], root: Path
) -> tuple[int, list[tuple[str, str]], dict[str, object]]:
    """The exit status, check and object of each verdict, and the whole report on the project."""
    status, out, err = run(capsys, "check", "--static", str(root), "--format", "json")
    assert err == ""
    report = json.loads(out)["projects"][0]
    return status, [(verdict["check"], verdict["object"]) for verdict in report["verdicts"]], report


def test_a_clean_project_passes_and_says_what_was_not_checked(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status, verdicts, report = check_static(capsys, project(tmp_path, {}))
    assert (status, verdicts, report["static"]) == (0, [], True)
    assert (report["heads"], report["bases"]) == (["b1"], ["a1"])
    notes = report["notes"]
    assert isinstance(notes, list)
    assert notes[0].startswith("read as text only; not checked: ")
    assert "failing-upgrade, silent-upgrade," in notes[0]


def test_two_heads_are_found(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    root = project(tmp_path, {"migrations/versions/c.py": revision("c1", "a1")})
    assert check_static(capsys, root)[:2] == (1, [("several-heads", "b1 c1")])


def test_two_heads_with_branch_labels_are_allowed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    files = {
        "migrations/versions/b.py": revision("b1", "a1", "branch_labels = ('one',)\n"),
        "migrations/versions/c.py": revision("c1", "a1", "branch_labels = ('two',)\n"),
        "migrations/versions/d.py": revision("d1", "c1"),
    }
    assert check_static(capsys, project(tmp_path, files))[:2] == (0, [])


@pytest.mark.parametrize(
    ("text", "object_name"),
    [
        (revision("c1", "zz99"), "c1 zz99"),
        (revision("b1", "a1"), "b1"),
        ("revision = 'c1'\ndown_revision = (\n", "migrations/versions/c.py"),
    ],
)
def test_a_broken_history_is_found(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, object_name: str
) -> None:
    root = project(tmp_path, {"migrations/versions/c.py": text})
    assert check_static(capsys, root)[:2] == (1, [("broken-history", object_name)])


def test_a_cycle_of_revisions_is_a_broken_history(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    root = project(tmp_path, {"migrations/versions/a.py": revision("a1", "b1")})
    assert check_static(capsys, root)[:2] == (1, [("broken-history", "a1 b1")])


def test_syntax_that_is_newer_than_our_python_is_no_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    newer = "def f[T](x: T) -> T:\n    return x\ntype A = int\n"
    root = project(tmp_path, {"migrations/versions/c.py": revision("c1", "b1", newer)})
    assert check_static(capsys, root)[:2] == (0, [])


def test_a_parent_that_code_computes_is_a_note_and_no_finding(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = revision("c1", "b1").replace("down_revision = 'b1'", "down_revision = parent()")
    status, verdicts, report = check_static(capsys, project(tmp_path, {"migrations/versions/c.py": text}))
    assert (status, verdicts) == (0, [])
    assert "its `down_revision` is not written as text" in str(report["notes"])


def test_raw_sql_and_ddl_of_known_tables_are_found(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    files = {
        "sql/init.sql": "CREATE TABLE x (id int);",
        "app/models.py": "class User(Base):\n    __tablename__ = 'users'\n",
        "app/start.py": "engine.execute('ALTER TABLE users ADD x int')\n"
        "engine.execute('ALTER TABLE t_a1 ADD x int')\nengine.execute('ALTER TABLE elsewhere ADD x int')\n",
    }
    status, verdicts, _ = check_static(capsys, project(tmp_path, files))
    assert (status, verdicts) == (
        1,
        [
            ("raw-sql-file", "sql/init.sql"),
            ("schema-change-outside-migrations", "users"),
            ("schema-change-outside-migrations", "t_a1"),
        ],
    )


def test_an_allowance_for_a_check_that_did_not_run_is_not_unused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    allow = "allow:\n  - {check: drift, reason: r}\n  - {check: raw-sql-file, object: 'sql/*', reason: r}\n"
    root = project(tmp_path, {".migration-gate.yml": allow, "sql/init.sql": "CREATE TABLE x (id int);"})
    status, verdicts, report = check_static(capsys, root)
    assert (status, verdicts) == (0, [("raw-sql-file", "sql/init.sql")])
    counts = report["counts"]
    assert isinstance(counts, dict)
    assert counts["allowed"] == 1


def test_a_hook_that_builds_the_configuration_is_not_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    root = project(tmp_path, {"hook.py": EXPLODES, ".migration-gate.yml": "hook: hook.py\n"})
    status, verdicts, report = check_static(capsys, root)
    assert (status, verdicts) == (0, [])
    assert "several heads were not looked for" in str(report["notes"])


def test_a_folder_without_a_project_does_not_pass(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, _, report = check_static(capsys, started(tmp_path / "empty"))
    problem = report["problem"]
    assert isinstance(problem, dict)
    assert (status, problem["kind"]) == (2, "ProjectNotFound")


def test_no_database_library_is_imported(tmp_path: Path) -> None:
    import subprocess

    root = project(tmp_path, {})
    code = (
        "import sys; from migration_gate import cli;"
        "status = cli.run_command_line(['check', '--static', sys.argv[1]]);"
        "heavy = {'psycopg', 'alembic', 'sqlalchemy', 'testcontainers'} & set(sys.modules);"
        "sys.exit(f'{status} {heavy}' if status or heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_untracked_revisions_count_as_alembic_counts_them(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    root = project(tmp_path, {})
    (root / "migrations/versions/c.py").write_text(revision("c1", "a1"))
    assert git(root, "status", "-s") == "?? migrations/versions/c.py"
    assert check_static(capsys, root)[0] == 1
    commit(root, {"migrations/versions/c.py": revision("c1", "b1")})
    assert check_static(capsys, root)[0] == 0


def test_without_git_nothing_is_passed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    root = project(tmp_path, {})
    (root / ".git").rename(root / "git")
    status, _, report = check_static(capsys, root)
    assert status == 2
    problem = report["problem"]
    assert isinstance(problem, dict)
    assert (
        problem["says"]
        == "`--static` reads the files that git tracks, and git cannot tell: no git repository."
    )
