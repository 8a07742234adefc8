from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from migration_gate import repository
from migration_gate.facts import SqlFile, Tree
from migration_gate.settings import Settings

EMPTY_HOME = {"HOME": "/nonexistent", "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "protocol.file.allow=always")
    subprocess.run(["git", *who, *arguments], cwd=folder, env=EMPTY_HOME, check=True, capture_output=True)


def tracked(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    if not (folder / ".git").exists():
        git(folder, "init", "-q")
    git(folder, "add", "-A")
    return folder


def read(root: Path, *revisions: Path, allow: tuple[str, ...] = ()) -> Tree:
    settings = Settings("x", root, root, raw_sql_allow=allow)
    return repository.read(settings, [str(revision) for revision in revisions])


def one(tree: Tree) -> SqlFile:
    assert len(tree.sql) == 1, tree.sql
    return tree.sql[0]


def paths(tree: Tree) -> list[str]:
    return [file.path for file in tree.sql]


USERS = "-- the start\n\nCREATE TABLE users (\n  id int\n);\nINSERT INTO users VALUES (1);\nSELECT 1;\n"


def test_a_tracked_file_is_described(tmp_path: Path) -> None:
    file = one(read(tracked(tmp_path, {"db/init.sql": USERS})))
    assert file == SqlFile(
        "db/init.sql",
        holds=("schema", "data", "query"),
        first="CREATE TABLE users ( id int )",
        line=3,
        tables=("users",),
    )


def test_an_untracked_file_is_not_seen(tmp_path: Path) -> None:
    root = tracked(tmp_path, {"a.sql": "SELECT 1"})
    (root / "b.sql").write_text("SELECT 1")
    assert paths(read(root)) == ["a.sql"]


def test_names_with_spaces_newlines_and_letters_beyond_ascii_survive(tmp_path: Path) -> None:
    names = ["a b.sql", "ü/ñ.SQL", "new\nline.sql", 'quo"te.sql']
    assert paths(read(tracked(tmp_path / "päth with space", dict.fromkeys(names, "SELECT 1")))) == sorted(
        names
    )


def test_only_the_folder_of_the_project_counts_and_paths_begin_at_the_top(tmp_path: Path) -> None:
    root = tracked(tmp_path, {"other.sql": "SELECT 1", "back/a.sql": "SELECT 1", "back/b.sql": "SELECT 1"})
    tree = read(root / "back", allow=("/a.sql",))
    assert (paths(tree), tree.prefix) == (["back/a.sql", "back/b.sql"], "back")
    assert [file.allowed_by for file in tree.sql] == ["/a.sql", None]
    assert [file.allowed_by for file in read(root / "back", allow=("back/b.sql",)).sql] == [
        None,
        "back/b.sql",
    ]


def test_a_folder_without_a_repository_is_walked_and_said(tmp_path: Path) -> None:
    for name in ("a.sql", "node_modules/b.sql", "env/c.sql", ".git/d.sql"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("SELECT 1")
    (tmp_path / "env/pyvenv.cfg").touch()
    tree = read(tmp_path)
    assert paths(tree) == ["a.sql"]
    assert len(tree.notes) == 1


def test_a_machine_without_git_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tracked(tmp_path, {"a.sql": "SELECT 1"})
    monkeypatch.setenv("PATH", str(tmp_path))
    tree = read(tmp_path)
    assert paths(tree) == ["a.sql"]
    assert "no git program" in tree.notes[0]


def test_the_caller_s_git_variables_lead_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tracked(tmp_path / "a", {"a.sql": "SELECT 1"})
    other = tracked(tmp_path / "b", {"b.sql": "SELECT 1"})
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert paths(read(root)) == ["a.sql"]


def test_a_command_in_the_repository_s_configuration_is_not_run(tmp_path: Path) -> None:
    root = tracked(tmp_path, {"a.sql": "SELECT 1"})
    git(root, "config", "core.fsmonitor", f"touch {tmp_path}/ran; false")
    read(root)
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository to another user")
def test_a_checkout_of_another_user_is_read(tmp_path: Path) -> None:
    root = tracked(tmp_path, {"a.sql": "SELECT 1"})
    for path in (root, root / ".git"):
        os.chown(path, 65534, 65534)
    tree = read(root)
    assert (paths(tree), tree.notes) == (["a.sql"], ())


def test_links_are_not_followed_out_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "secret.sql").write_text("SELECT 1")
    root = tmp_path / "root"
    root.mkdir()
    (root / "out.sql").symlink_to(tmp_path / "secret.sql")
    (root / "broken.sql").symlink_to("nowhere.sql")
    (root / "loop.sql").symlink_to("loop.sql")
    tracked(root, {"a.sql": "SELECT 1"})
    tree = read(root)
    assert [file.path for file in tree.sql if not file.unreadable] == ["a.sql"]
    assert any("out.sql" in note for note in tree.notes)


def test_a_file_deleted_from_the_work_tree_is_no_file(tmp_path: Path) -> None:
    root = tracked(tmp_path, {"a.sql": "SELECT 1", "b/c.sql": "SELECT 1", "d.py": "x = 1"})
    (root / "a.sql").unlink()
    (root / "b/c.sql").unlink()
    (root / "b").rmdir()
    (root / "b").touch()
    assert paths(read(root)) == []


def test_a_submodule_is_another_repository(tmp_path: Path) -> None:
    tracked(tmp_path / "sub", {"a.sql": "SELECT 1"})
    git(tmp_path / "sub", "commit", "-qm", "x")
    root = tracked(tmp_path / "root", {"b.sql": "SELECT 1"})
    git(root, "submodule", "add", "-q", str(tmp_path / "sub"), "sub.sql")
    assert paths(read(root)) == ["b.sql"]


def test_a_huge_file_is_read_in_part_and_said(tmp_path: Path) -> None:
    text = "CREATE TABLE a (b int);\n" + "-- x\n" * 600_000
    tree = read(tracked(tmp_path, {"a.sql": text}))
    assert one(tree).tables == ("a",)
    assert "only its first 2 MiB" in tree.notes[0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0", "it is no text"),
        (b"PGDMP\x01\x0e\x00\x04", "it is no text"),
        (bytes(range(128, 256)) + bytes(range(1, 32)) * 9, "it is no text"),
        ("CREATE TABLE ü ();".encode("utf-16"), None),
        ("CREATE TABLE ü ();".encode("utf-16-be"), "it is no text"),
        ("CREATE TABLE ü ();".encode("utf-8-sig"), None),
        ("CREATE TABLE ü ();".encode("latin-1"), None),
    ],
)
def test_an_encoding_is_read_where_it_is_clear(tmp_path: Path, content: bytes, reason: str | None) -> None:
    file = one(read(tracked(tmp_path, {"a.sql": content})))
    assert file.unreadable == reason
    assert file.tables == (() if reason else ("ü",))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_said(tmp_path: Path) -> None:
    root = tracked(tmp_path, {"a.sql": "SELECT 1", "b.py": "x = 1"})
    (root / "a.sql").chmod(0)
    (root / "b.py").chmod(0)
    tree = read(root)
    assert "could not be opened" in str(one(tree).unreadable)
    assert [name for name, _ in tree.unchecked] == ["b.py"]


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
    root = tracked(
        tmp_path,
        {"m/versions/1_a.py": code, "m/versions/sql/make.sql": "SELECT 1", "reports/other.sql": "SELECT 1"},
    )
    tree = read(root, root / "m/versions/1_a.py")
    assert [file.executed_by for file in tree.sql] == ["m/versions/1_a.py", None]


@pytest.mark.parametrize(
    "code",
    ['Path(__file__).with_suffix(".sql")', '__file__.replace(".py", ".sql")', 'f"{__file__[:-3]}.sql"'],
)
def test_a_file_named_like_its_revision_is_executed_by_it(tmp_path: Path, code: str) -> None:
    root = tracked(tmp_path, {"v/1_a.py": code, "v/1_a.sql": "SELECT 1", "v/2_b.sql": "SELECT 1"})
    tree = read(root, root / "v/1_a.py")
    assert [file.executed_by for file in tree.sql] == ["v/1_a.py", None]


def test_of_two_files_of_one_name_the_nearer_one_is_executed(tmp_path: Path) -> None:
    files = {"m/v/1.py": 'read("x.sql")', "m/v/x.sql": "SELECT 1", "reports/x.sql": "SELECT 1"}
    root = tracked(tmp_path, files)
    tree = read(root, root / "m/v/1.py")
    assert [file.executed_by for file in tree.sql] == ["m/v/1.py", None]


def test_a_revision_in_a_project_below_the_top_is_named_from_the_top(tmp_path: Path) -> None:
    root = tracked(tmp_path, {"back/v/1.py": 'read("x.sql")', "back/v/x.sql": "SELECT 1"})
    assert one(read(root / "back", root / "back/v/1.py")).executed_by == "back/v/1.py"


def test_the_pattern_that_allows_is_named_and_negation_takes_back(tmp_path: Path) -> None:
    files = dict.fromkeys(("reports/a.sql", "reports/keep/b.sql", "db/c.sql", "db/deep/d.sql"), "SELECT 1")
    tree = read(tracked(tmp_path, files), allow=("reports/", "db/**/*.sql", "!db/c.sql", "# none"))
    assert {file.path: file.allowed_by for file in tree.sql} == {
        "reports/a.sql": "reports/",
        "reports/keep/b.sql": "reports/",
        "db/c.sql": None,
        "db/deep/d.sql": "db/**/*.sql",
    }


ALTER = 'conn.execute("ALTER TABLE users ADD COLUMN x int")\n'


def test_the_migrations_themselves_are_no_finding(tmp_path: Path) -> None:
    root = tracked(
        tmp_path,
        {
            "m/env.py": ALTER,
            "m/tools.py": ALTER,
            "m/versions/1_a.py": ALTER,
            "m/versions/2024/2_b.py": ALTER,
            "single.py": ALTER,
            "app/db.py": ALTER,
            "run.sh": 'psql -c "ALTER TABLE users ADD x int"\n',
        },
    )
    tree = read(root, root / "m/versions/1_a.py", root / "single.py")
    assert [str(change.place) for change in tree.changes] == ["app/db.py:1", "run.sh:1"]


def test_a_function_that_a_revision_imports_belongs_to_the_migrations(tmp_path: Path) -> None:
    code = f"def one(conn):\n  {ALTER}\ndef two(conn):\n  {ALTER}"
    files = {"v/1_a.py": "from app.ddl import (\n  one,  # helper\n)\n", "app/ddl.py": code}
    root = tracked(tmp_path, files)
    assert [str(c.place) for c in read(root, root / "v/1_a.py").changes] == ["app/ddl.py:5"]


def test_what_a_revision_would_say_instead_is_filled_in(tmp_path: Path) -> None:
    root = tracked(tmp_path, {"app/db.py": ALTER})
    assert read(root).changes[0].operation == 'op.add_column("users", sa.Column("x", sa.Integer()))'


def test_three_thousand_files_are_read_in_a_second_and_a_half(tmp_path: Path) -> None:
    filler = "import os\n\n\ndef create(user):\n    return os.path.join(user, 'dropped')\n\n\n" * 120
    files: dict[str, str | bytes] = {f"app/p{n % 40}/m{n}.py": filler for n in range(1000)}
    files |= {f"web/p{n % 40}/{n}.ts": "x" * 5000 for n in range(2000)}
    root = tracked(tmp_path, files)
    wall, cpu = time.perf_counter(), time.process_time()
    read(root)
    assert min(time.perf_counter() - wall, time.process_time() - cpu) < 1.5
