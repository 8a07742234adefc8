"""The facts that are kept with a checkpoint: whatever they depend on keeps them from serving again."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from migration_gate.checkpoint import kept_facts
from migration_gate.checkpoint.facts_key import FactsPlace
from migration_gate.checkpoint.kept_facts import (
    FILE,
    FactsInputs,
    KeptFacts,
    compute_inputs,
    has_changed_since,
    has_kept_facts,
    read_kept_facts,
    remove_kept_facts,
    select_used_files,
    write_kept_facts,
)
from migration_gate.checkpoint.saved_state import SavedState, StateRecord
from migration_gate.checkpoint.sealed_file import write_sealed_file
from migration_gate.facts import Facts
from tests.support.git_repositories import commit, git, started

RECORD = StateRecord("here", (), ("one",), (), "migration_gate_1", "secret", 1, 1, "content", "steps")
FACTS = Facts("shop")
KEPT = KeptFacts(
    "key", FactsInputs(("/a/models.py",), ("/a",), "digest"), ("/a/one.py",), "shared", pickle.dumps(FACTS)
)
FILES = {
    ".gitignore": "__pycache__/\nlocal_*.py\n",
    "shop/__init__.py": "",
    "shop/models.py": "import os\n",
    "shop/views.py": "x = 1\n",
    "data/kinds.yaml": "a: 1\n",
    "README.md": "shop\n",
    "migrations/versions/one.py": "down_revision = None\n",
}


class Attack:
    """A pickle of it runs a program."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.system, ("touch attacked",)


@pytest.fixture
def place(tmp_path: Path) -> FactsPlace:
    return FactsPlace(SavedState(tmp_path, RECORD), "surroundings", writes=True)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    (tmp_path / "outside.toml").write_text("1")
    (tmp_path / "library").mkdir()
    top = started(tmp_path / "repository", FILES)
    (top / "kinds").symlink_to("data/kinds.yaml")
    commit(top, {})
    return top


def used(top: Path) -> tuple[str, ...]:
    names = ("shop/__init__.py", "shop/models.py", "migrations/versions/one.py", "migrations/versions")
    return (*(f"{top}/{name}" for name in names), str(top.parent / "outside.toml"))


def describe(top: Path) -> str:
    return compute_inputs(top, used(top), [str(top.parent / "library")])


def test_what_was_kept_is_read_under_its_key_alone(place: FactsPlace) -> None:
    assert not has_kept_facts(place)
    write_kept_facts(place, KEPT)
    assert has_kept_facts(place)
    assert read_kept_facts(place, "key") == KEPT
    assert KEPT.read_facts() == FACTS
    assert read_kept_facts(place, "other") is None
    assert (place.state.folder / FILE).stat().st_mode & 0o077 == 0
    remove_kept_facts(place)
    assert read_kept_facts(place, "key") is None
    remove_kept_facts(place)  # there is none


@pytest.mark.parametrize("value", [Attack(), None, (FACTS,), Path()])
def test_what_are_no_facts_is_none_and_runs_nothing(
    place: FactsPlace, value: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_kept_facts(place, replace(KEPT, data=pickle.dumps(value)))
    kept = read_kept_facts(place, "key")
    assert kept is not None
    assert kept.read_facts() is None
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]\n",
        b"{}\n",
        b'{"key": "key"}\n',
        b'{"key": "key", "used": 1, "digest": ""}\n',
        b'{"key": "key", "used": [], "digest": ""}\n',
        b"\xff\n",
        b'"key"\n',
    ],
)
def test_another_header_is_none(place: FactsPlace, content: bytes) -> None:
    write_sealed_file(place.state.folder / FILE, content + pickle.dumps(FACTS))
    assert read_kept_facts(place, "key") is None


def test_a_damaged_file_is_none(place: FactsPlace) -> None:
    write_kept_facts(place, KEPT)
    file = place.state.folder / FILE
    file.write_bytes(file.read_bytes()[:-1])
    assert read_kept_facts(place, "key") is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("shop/views.py", "x = 2\n"),  # neither imported nor opened
        ("README.md", "the shop\n"),
        ("shop/page.html", "<p>"),
        ("data/main.go", "package main"),
        (".coverage", "1"),
        ("shop/.models.py.swp", "1"),
        ("shop/__pycache__/models.cpython-311.pyc", "1"),
        ("migrations/versions/__pycache__/one.cpython-311.pyc", "1"),
    ],
)
def test_what_no_replay_reads_may_differ(top: Path, name: str, content: str) -> None:
    with (top / ".gitignore").open("a") as ignored:
        ignored.write(".*\n")
    before = describe(top)
    (top / name).parent.mkdir(exist_ok=True)
    (top / name).write_text(content)
    assert before
    assert describe(top) == before


def change_link(top: Path) -> None:
    (top / "kinds").unlink()
    (top / "kinds").symlink_to("shop/views.py")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda top: (top / "shop/models.py").write_text("import sys\n"), id="a module"),
        pytest.param(lambda top: (top / "shop/models.py").unlink(), id="a module that is gone"),
        pytest.param(lambda top: (top / "shop/new.py").write_text(""), id="a new module"),
        pytest.param(lambda top: (top / "jobs.py").write_text(""), id="a new module elsewhere"),
        pytest.param(lambda top: (top / "shop/local_settings.py").write_text(""), id="one that git ignores"),
        pytest.param(lambda top: (top / "shop/views.py").unlink(), id="a file that is gone"),
        pytest.param(lambda top: (top / "shop/views").mkdir(), id="a folder beside the modules"),
        pytest.param(lambda top: (top / "data/local_kinds.py").write_text(""), id="ignored, beside data"),
        pytest.param(lambda top: (top / "local_flag.py").write_text(""), id="ignored, at the top"),
        pytest.param(lambda top: (top / "migrations/local_a.py").write_text(""), id="ignored, between"),
        pytest.param(
            lambda top: (top.parent / "library/a.py").write_text(""), id="where modules are looked for"
        ),
        pytest.param(lambda top: (top / "data/kinds.yaml").write_text("a: 2\n"), id="data"),
        pytest.param(lambda top: (top / "data/more.yaml").write_text(""), id="new data"),
        pytest.param(lambda top: (top.parent / "outside.toml").write_text("2"), id="outside"),
        pytest.param(lambda top: (top.parent / "outside.toml").unlink(), id="gone from outside"),
        pytest.param(change_link, id="a link"),
        pytest.param(
            lambda top: (top / "migrations/versions/local_two.py").write_text(""), id="an ignored revision"
        ),
        pytest.param(lambda top: (top / "migrations/versions/one.py").write_text("#\n"), id="a revision"),
    ],
)
def test_all_else_counts(top: Path, change: Callable[[Path], object]) -> None:
    before = describe(top)
    change(top)
    assert before
    assert describe(top) != before


def test_what_cannot_be_told_is_not_kept(top: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert compute_inputs(tmp_path / "no repository", (), ()) == ""
    os.mkfifo(tmp_path / "pipe")
    assert compute_inputs(top, (str(tmp_path / "pipe"),), ()) == ""
    assert compute_inputs(top, ("/dev/null", f"{top}/kinds/in_an_archive.py"), ()) != ""
    (top / "vendor").mkdir()
    started(top / "vendor/other", {"a.yaml": "1"})  # a repository in it: git does not look inside
    assert describe(top) == ""
    git(top / "vendor/other", "checkout", "--detach", "-q")
    monkeypatch.setattr(kept_facts, "MAX_FILES", 3)
    (top / "vendor").rename(tmp_path / "vendor")
    assert describe(top) == ""
    assert has_changed_since(top, used(top), (), time.time() + 100)
    monkeypatch.undo()
    assert describe(top) != ""
    monkeypatch.setattr(kept_facts, "MAX_BYTES", 3)
    assert describe(top) == ""


def test_packages_and_what_was_made_for_the_run_are_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    paths = [f"{run}/home/.config", "/env/site-packages/a.py", "/a/b.py", "/a/../a/b.py"]
    assert select_used_files(paths, run) == ("/a/b.py",)
    monkeypatch.setattr(kept_facts, "MAX_USED", 1)
    assert select_used_files(["/a", "/b"], run) is None


@pytest.fixture
def old(top: Path) -> Path:
    """All was changed long ago."""
    (top / "shop/linked.py").symlink_to(top.parent / "outside.py")
    (top.parent / "outside.py").write_text("")
    for path in (*top.parent.rglob("*"), top, top.parent):
        if ".git" not in path.parts:
            os.utime(path, (1, 1), follow_symlinks=False)
    return top


@pytest.mark.parametrize(
    "name",
    [
        "shop/models.py",  # used
        "shop/views.py",
        "data",
        "../outside.toml",
        "../outside.py",  # to which one links
        "../library",
    ],
)
def test_files_that_change_while_the_run_goes_on_are_noticed(old: Path, name: str) -> None:
    since = time.time() + 100  # (the time of the change of their times is now)
    missing = str(old / "gone/with/its/folder.toml")
    arguments = (old, (*used(old), missing), [str(old.parent / "library")])
    assert not has_changed_since(*arguments, since)
    assert has_changed_since(*arguments, time.time() - 100)
    os.utime(old / name, (since + 1, since + 1))
    assert has_changed_since(*arguments, since)


def test_a_folder_that_went_while_the_run_went_on_is_noticed(old: Path) -> None:
    since = time.time() + 100
    file = str(old / "deep/flags/on.toml")  # what it was in is gone, too
    assert not has_changed_since(old, [file], (), since)
    os.utime(old, (since + 1, since + 1))
    assert has_changed_since(old, [file], (), since)
