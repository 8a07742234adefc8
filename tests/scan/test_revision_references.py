from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.tracked_files import ALTER, only_sql_file, read_tree, tracked_repository


@pytest.mark.parametrize(
    "code",
    [
        'op.execute(Path(__file__).parent.joinpath("sql/make.sql").read_text())',
        'op.execute((Path(__file__).parent / "sql" / "make.sql").read_text())',
        'op.execute(open(os.path.join(os.path.dirname(__file__), "sql", "make.sql")).read())',
        'NAME = "make"\nop.execute(open(f"versions/sql/{NAME}.sql").read())',
        'for f in sorted(Path(__file__).parent.glob("sql/*.sql")): op.execute(f.read_text())',
        'for f in (Path(__file__).parent / "sql").glob("*.sql"): op.execute(f.read_text())',
        'op.execute(open(os.path.dirname(__file__) + "/sql/make.sql").read())',
        'run_file("make" + ".sql")',
    ],
)
def test_a_file_that_a_revision_reads_is_executed_by_it(tmp_path: Path, code: str) -> None:
    root = tracked_repository(
        tmp_path,
        {
            "m/versions/1_a.py": code,
            "m/versions/sql/make.sql": "SELECT 1",
            "reports/other.sql": "SELECT 1",
        },
    )
    tree = read_tree(root, root / "m/versions/1_a.py")
    assert [file.executed_by for file in tree.sql_files] == ["m/versions/1_a.py", None]


@pytest.mark.parametrize(
    "code",
    ['Path(__file__).with_suffix(".sql")', '__file__.replace(".py", ".sql")', 'f"{__file__[:-3]}.sql"'],
)
def test_a_file_named_like_its_revision_is_executed_by_it(tmp_path: Path, code: str) -> None:
    root = tracked_repository(tmp_path, {"v/1_a.py": code, "v/1_a.sql": "SELECT 1", "v/2_b.sql": "SELECT 1"})
    tree = read_tree(root, root / "v/1_a.py")
    assert [file.executed_by for file in tree.sql_files] == ["v/1_a.py", None]


def test_of_two_files_of_one_name_the_nearer_one_is_executed(tmp_path: Path) -> None:
    files = {
        "m/v/1.py": 'read_tree("x.sql")',
        "m/v/x.sql": "SELECT 1",
        "reports/x.sql": "SELECT 1",
    }
    root = tracked_repository(tmp_path, files)
    tree = read_tree(root, root / "m/v/1.py")
    assert [file.executed_by for file in tree.sql_files] == ["m/v/1.py", None]


def test_a_revision_in_a_project_below_the_top_is_named_from_the_top(tmp_path: Path) -> None:
    root = tracked_repository(tmp_path, {"back/v/1.py": 'read_tree("x.sql")', "back/v/x.sql": "SELECT 1"})
    assert only_sql_file(read_tree(root / "back", root / "back/v/1.py")).executed_by == "back/v/1.py"


def test_a_function_that_a_revision_imports_belongs_to_the_migrations(tmp_path: Path) -> None:
    code = f"def one(conn):\n  {ALTER}\ndef two(conn):\n  {ALTER}"
    files = {"v/1_a.py": "from app.ddl import (\n  one,  # helper\n)\n", "app/ddl.py": code}
    root = tracked_repository(tmp_path, files)
    assert [str(c.location) for c in read_tree(root, root / "v/1_a.py").schema_changes] == ["app/ddl.py:5"]
