from __future__ import annotations

import os
from pathlib import Path

import pytest

from migration_gate.config.settings import PrepareStep, Settings, StartFrom
from migration_gate.facts import SqlFile
from migration_gate.scan.file_content import FileContent
from migration_gate.scan.repository import read_repository
from migration_gate.scan.sql_files import AllowedSqlFiles, SqlReader
from tests.support.git_repositories import made_reachable
from tests.support.tracked_files import ALTER, git, only_sql_file, read_tree, sql_paths, tracked_repository

pytestmark = pytest.mark.slow  # each starts another program

USERS = "-- the start\n\nCREATE TABLE users (\n  id int\n);\nINSERT INTO users VALUES (1);\nSELECT 1;\n"


def test_a_tracked_file_is_described(tmp_path: Path) -> None:
    file = only_sql_file(read_tree(tracked_repository(tmp_path, {"db/init.sql": USERS})))
    assert file == SqlFile(
        "db/init.sql",
        statement_kinds=("schema", "data", "query"),
        first_statement="CREATE TABLE users ( id int )",
        line=3,
        tables=("users",),
    )


def test_an_untracked_file_is_left_out(tmp_path: Path) -> None:
    root = tracked_repository(tmp_path, {"a.sql": "SELECT 1"})
    (root / "b.sql").write_text("SELECT 1")
    assert sql_paths(read_tree(root)) == ["a.sql"]


def test_names_with_spaces_line_ends_and_other_letters_are_kept(tmp_path: Path) -> None:
    names = ["a b.sql", "ü/ñ.SQL", "new\nline.sql", 'quo"te.sql']
    assert sql_paths(
        read_tree(tracked_repository(tmp_path / "päth with space", dict.fromkeys(names, "SELECT 1")))
    ) == sorted(names)


def test_only_the_project_s_folder_is_read_and_paths_are_from_the_top(tmp_path: Path) -> None:
    root = tracked_repository(
        tmp_path, {"other.sql": "SELECT 1", "back/a.sql": "SELECT 1", "back/b.sql": "SELECT 1"}
    )
    tree = read_tree(root / "back", allow=("/a.sql",))
    assert (sql_paths(tree), tree.prefix) == (["back/a.sql", "back/b.sql"], "back")
    assert [file.allowed_by for file in tree.sql_files] == ["/a.sql", None]
    assert [file.allowed_by for file in read_tree(root / "back", allow=("back/b.sql",)).sql_files] == [
        None,
        "back/b.sql",
    ]


def test_a_folder_without_a_repository_is_walked_with_a_note(tmp_path: Path) -> None:
    for name in ("a.sql", "node_modules/b.sql", "env/c.sql", ".git/d.sql"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("SELECT 1")
    (tmp_path / "env/pyvenv.cfg").touch()
    tree = read_tree(tmp_path)
    assert sql_paths(tree) == ["a.sql"]
    assert len(tree.notes) == 1


def test_a_machine_without_git_gives_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tracked_repository(tmp_path, {"a.sql": "SELECT 1"})
    monkeypatch.setenv("PATH", str(tmp_path))
    tree = read_tree(tmp_path)
    assert sql_paths(tree) == ["a.sql"]
    assert "no git program" in tree.notes[0]


def test_the_caller_s_git_variables_are_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tracked_repository(tmp_path / "a", {"a.sql": "SELECT 1"})
    other = tracked_repository(tmp_path / "b", {"b.sql": "SELECT 1"})
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert sql_paths(read_tree(root)) == ["a.sql"]


def test_a_command_in_the_repository_s_configuration_is_not_run(tmp_path: Path) -> None:
    root = tracked_repository(tmp_path, {"a.sql": "SELECT 1"})
    git(root, "config", "core.fsmonitor", f"touch {tmp_path}/ran; false")
    read_tree(root)
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository to another user")
def test_a_checkout_of_another_user_is_read(tmp_path: Path) -> None:
    root = tracked_repository(made_reachable(tmp_path), {"a.sql": "SELECT 1"})
    for path in (root, *root.rglob("*")):
        os.chown(path, 65534, 65534)
    tree = read_tree(root)
    assert (sql_paths(tree), tree.notes) == (["a.sql"], ())


def test_links_are_not_followed_out_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "secret.sql").write_text("SELECT 1")
    root = tmp_path / "root"
    root.mkdir()
    (root / "out.sql").symlink_to(tmp_path / "secret.sql")
    (root / "broken.sql").symlink_to("nowhere.sql")
    (root / "loop.sql").symlink_to("loop.sql")
    tracked_repository(root, {"a.sql": "SELECT 1"})
    tree = read_tree(root)
    assert [file.path for file in tree.sql_files if not file.unreadable] == ["a.sql"]
    assert any("out.sql" in note for note in tree.notes)


def test_a_file_deleted_from_the_work_tree_is_left_out(tmp_path: Path) -> None:
    root = tracked_repository(tmp_path, {"a.sql": "SELECT 1", "b/c.sql": "SELECT 1", "d.py": "x = 1"})
    (root / "a.sql").unlink()
    (root / "b/c.sql").unlink()
    (root / "b").rmdir()
    (root / "b").touch()
    assert sql_paths(read_tree(root)) == []


def test_tracked_files_that_are_not_in_the_work_tree_are_in_a_note(tmp_path: Path) -> None:
    root = tracked_repository(tmp_path, {"a.sql": "SELECT 1", "b.sql": "SELECT 1", "c.txt": "x"})
    git(root, "sparse-checkout", "set", "--no-cone", "/*", "!/a.sql", "!/c.txt")
    (root / "a.sql").unlink(missing_ok=True)
    tree = read_tree(root)
    assert (sql_paths(tree), tree.notes) == (["b.sql"], ("1 tracked file not in the work tree: `a.sql`",))


def test_a_name_that_is_not_utf_8_can_be_printed(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.sql")).write_text("SELECT 1")
    assert sql_paths(read_tree(tracked_repository(tmp_path, {}))) == ["caf\\xe9.sql"]


def test_a_pointer_of_git_lfs_is_unreadable(tmp_path: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 3\n"
    assert "Git LFS" in str(
        only_sql_file(read_tree(tracked_repository(tmp_path, {"a.sql": pointer}))).unreadable
    )


def test_the_application_beside_env_py_is_read(tmp_path: Path) -> None:
    files = {"app/db/env.py": ALTER, "app/db/versions/1.py": ALTER, "app/db/session.py": ALTER}
    root = tracked_repository(tmp_path, files)
    changes = read_tree(root, root / "app/db/versions/1.py").schema_changes
    assert [str(change.location) for change in changes] == ["app/db/session.py:1"]


def test_a_submodule_is_left_out(tmp_path: Path) -> None:
    tracked_repository(tmp_path / "sub", {"a.sql": "SELECT 1"})
    git(tmp_path / "sub", "commit", "-qm", "x")
    root = tracked_repository(tmp_path / "root", {"b.sql": "SELECT 1"})
    git(root, "submodule", "add", "-q", str(tmp_path / "sub"), "sub.sql")
    assert sql_paths(read_tree(root)) == ["b.sql"]


def test_a_huge_file_is_read_in_part_with_a_note(tmp_path: Path) -> None:
    text = "CREATE TABLE a (b int);\n" + "-- x\n" * 600_000
    tree = read_tree(tracked_repository(tmp_path, {"a.sql": text}))
    assert only_sql_file(tree).tables == ("a",)
    assert "only its first 2 MiB" in tree.notes[0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0", "it is not text"),
        (b"PGDMP\x01\x0e\x00\x04", "it is not text"),
        (bytes(range(128, 256)) + bytes(range(1, 32)) * 9, "it is not text"),
        ("CREATE TABLE ü ();".encode("utf-16"), None),
        ("CREATE TABLE ü ();".encode("utf-16-be"), "it is not text"),
        ("CREATE TABLE ü ();".encode("utf-8-sig"), None),
        ("CREATE TABLE ü ();".encode("latin-1"), None),
    ],
)
def test_an_encoding_is_read_where_it_is_clear(tmp_path: Path, content: bytes, reason: str | None) -> None:
    file = only_sql_file(read_tree(tracked_repository(tmp_path, {"a.sql": content})))
    assert file.unreadable == reason
    assert file.tables == (() if reason else ("ü",))


def test_a_link_to_itself_is_unchecked_in_the_same_words_wherever_the_repository_is(tmp_path: Path) -> None:
    root = tracked_repository(tmp_path, {"b.py": "x = 1"})
    (root / "b.py").unlink()
    (root / "b.py").symlink_to("b.py")
    (item,) = read_tree(root).unchecked
    assert (item.object, str(tmp_path) in item.why) == ("b.py", False)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_unreadable_or_unchecked(tmp_path: Path) -> None:
    root = tracked_repository(tmp_path, {"a.sql": "SELECT 1", "b.py": "x = 1"})
    (root / "a.sql").chmod(0)
    (root / "b.py").chmod(0)
    tree = read_tree(root)
    assert "could not be opened" in str(only_sql_file(tree).unreadable)
    assert [item.object for item in tree.unchecked] == ["b.py"]


def test_the_files_that_the_gate_runs_are_allowed(tmp_path: Path) -> None:
    create = "CREATE TABLE a (id int);\n"
    names = ("db/base [1].sql", "roles.sql", "rows.sql", "other.sql")
    root = tracked_repository(tmp_path, dict.fromkeys(names, create))
    settings = Settings(
        "x",
        root,
        root,
        start_from=StartFrom(dump=root / "db/base [1].sql"),
        prepare=(PrepareStep("sql_file", str(root / "roles.sql")),),
        rehearsal_sql=root / "rows.sql",
    )
    allowed = {file.path: bool(file.allowed_by) for file in read_repository(settings, ()).sql_files}
    assert allowed == {name: name != "other.sql" for name in names}


def test_the_pattern_that_allows_is_named_and_negation_takes_back(tmp_path: Path) -> None:
    files = dict.fromkeys(("reports/a.sql", "reports/keep/b.sql", "db/c.sql", "db/deep/d.sql"), "SELECT 1")
    tree = read_tree(
        tracked_repository(tmp_path, files), allow=("reports/", "db/**/*.sql", "!db/c.sql", "# none")
    )
    assert {file.path: file.allowed_by for file in tree.sql_files} == {
        "reports/a.sql": "reports/",
        "reports/keep/b.sql": "reports/",
        "db/c.sql": None,
        "db/deep/d.sql": "db/**/*.sql",
    }


def test_changes_in_the_migrations_themselves_are_left_out(tmp_path: Path) -> None:
    root = tracked_repository(
        tmp_path,
        {
            "migrations/env.py": ALTER,
            "migrations/tools.py": ALTER,
            "migrations/versions/1_a.py": ALTER,
            "migrations/versions/2024/2_b.py": ALTER,
            "single.py": ALTER,
            "app/db.py": ALTER,
            "run.sh": 'psql -c "ALTER TABLE users ADD x int"\n',
        },
    )
    tree = read_tree(root, root / "migrations/versions/1_a.py", root / "single.py")
    assert [str(change.location) for change in tree.schema_changes] == ["app/db.py:1", "run.sh:1"]


def test_a_change_has_the_operation_for_a_revision(tmp_path: Path) -> None:
    root = tracked_repository(tmp_path, {"app/db.py": ALTER})
    assert (
        read_tree(root).schema_changes[0].suggested_op
        == 'op.add_column("users", sa.Column("x", sa.Integer()))'
    )


ENV = "from alembic import context\n\ncontext.run_migrations()\n"
REVISION = (
    'revision = "1"\ndown_revision: str | None = None\n\n\ndef upgrade():\n'
    '    op.create_table("orders")\n    op.execute("ALTER TABLE users ADD COLUMN age int")\n'
)


def test_revisions_of_every_environment_are_migrations(tmp_path: Path) -> None:
    files = {
        "api/migrations/env.py": ENV,
        "api/migrations/versions/1.py": REVISION,
        "billing/db/env.py": ENV,
        "billing/db/versions/old/1.py": REVISION,
        "billing/db/versions/2.py": REVISION.replace("\ndown", "; down"),
        "billing/db/tasks.py": ALTER,
        "plugin/revisions/1.py": REVISION,
    }
    root = tracked_repository(tmp_path, files)
    tree = read_tree(root, root / "api/migrations/versions/1.py")
    assert [str(change.location) for change in tree.schema_changes] == ["billing/db/tasks.py:1"]
    assert tree.other_tables == ("orders",)


def test_other_names_of_files_with_sql_count_too(tmp_path: Path) -> None:
    names = ["a.psql", "b.ddl", "c.sql.j2", "d.sql.jinja", "e.SQL", "f.sql.jinja2"]
    others = ["g.sql.md", "h.mysql", "i.j2", "j.sqlite", "ddl"]
    files = dict.fromkeys((*names, *others), "CREATE TABLE {{ prefix }}users (id int);\n")
    assert sql_paths(read_tree(tracked_repository(tmp_path, files))) == names


def test_sql_beyond_the_limit_is_unchecked_in_its_own_words() -> None:
    reader = SqlReader(AllowedSqlFiles(["kept.sql"], ""), limit=20)

    def describe(name: str, text: str) -> SqlFile:
        file = reader.describe(name, name, FileContent(text.encode(), len(text)))
        assert file is not None
        return file

    assert describe("kept.sql", "SELECT 1;" * 100).allowed_by == "kept.sql"
    assert describe("a.sql", "DROP TABLE a;").unread is None
    part = describe("b.sql", "DROP TABLE b; DROP TABLE c;")
    assert "read in part: 20 characters of SQL are read" in (part.unread or "")
    rest = describe("c.sql", "DROP TABLE c;")
    assert (rest.statement_kinds, rest.unreadable) == ((), None)
    assert "not read" in (rest.unread or "")
