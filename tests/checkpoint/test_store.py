"""The checkpoints of one project, in the user's cache."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migration_gate.checkpoint import store as store_module
from migration_gate.checkpoint.dependencies import Dependency, compute_digest
from migration_gate.checkpoint.saved_state import (
    CATALOG,
    DATA,
    DIGEST_BYTES,
    LINES,
    LOG,
    RECORD,
    SavedState,
    StateRecord,
    compute_content_digest,
    mark_old_sessions,
    read_state,
    write_record,
)
from migration_gate.checkpoint.store import CheckpointStore

RECORDED = StateRecord("here", (), ("one", "two"), (), "migration_gate_1", "secret", 1, 1, "", "steps")


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    top = tmp_path / "repository"
    top.mkdir()
    (top / "one.py").write_text("x")
    return CheckpointStore(tmp_path / "cache" / "checkpoints" / "shop", top)


def write(store: CheckpointStore, *revisions: str) -> None:
    folder = store.make_folder()
    (folder / DATA).mkdir()
    (folder / DATA / "PG_VERSION").write_text("17")
    for name in (LINES, LOG, CATALOG):
        (folder / name).write_text(name)
    dependencies = (Dependency("one.py", compute_digest(store.top / "one.py"), is_essential=True),)
    content = compute_content_digest(folder)
    scripts = tuple(f"{revision}.py" for revision in revisions)
    write_record(
        folder,
        replace(RECORDED, revisions=revisions, scripts=scripts, dependencies=dependencies, content=content),
    )
    store.add(folder)


def find(store: CheckpointStore) -> SavedState:
    state = store.find("here", tuple)
    assert state is not None
    return state


def test_one_that_has_revisions_of_the_change_is_not_found(store: CheckpointStore) -> None:
    write(store, "one", "two")
    write(store, "one")
    state = store.find("here", lambda: {"models.py", "two.py"})
    assert state is not None
    assert state.record.revisions == ("one",)
    assert store.find("here", lambda: {"one.py"}) is None


def test_the_one_with_the_most_revisions_is_found(store: CheckpointStore) -> None:
    write(store, "one", "two")
    write(store, "one")
    assert find(store).record.revisions == ("one", "two")
    assert find(store).is_intact()


def test_other_surroundings_or_a_changed_file_find_none(store: CheckpointStore) -> None:
    write(store, "one")
    assert store.find("there", tuple) is None
    (store.top / "one.py").write_text("y")
    assert store.find("here", tuple) is None


def test_the_newest_ones_are_kept(store: CheckpointStore) -> None:
    for number in range(5):
        write(store, *(f"r{position}" for position in range(number + 1)))
        for path in store.folder.iterdir():
            status = path.stat()
            os.utime(path, (status.st_atime - 10, status.st_mtime - 10))
    assert len(list(store.folder.iterdir())) == store_module.KEPT
    assert len(find(store).record.revisions) == 5


@pytest.mark.parametrize("name", [f"{DATA}/PG_VERSION", LINES, LOG, CATALOG])
@pytest.mark.parametrize("content", ["", "other"])
def test_a_file_that_is_not_as_it_was_is_noticed(store: CheckpointStore, name: str, content: str) -> None:
    write(store, "one")
    (find(store).folder / name).write_text(content)
    assert not find(store).is_intact()


@pytest.mark.parametrize("name", [f"{DATA}/PG_VERSION", LINES, LOG, CATALOG, RECORD])
@pytest.mark.parametrize("is_pipe", [True, False], ids=["a pipe", "a link"])
def test_what_is_no_plain_file_is_noticed_and_not_waited_for(
    store: CheckpointStore, name: str, *, is_pipe: bool
) -> None:
    write(store, "one")
    state = find(store)
    file = state.folder / name
    file.rename(store.top / "elsewhere")
    if is_pipe:
        os.mkfifo(file)
    else:
        file.symlink_to(store.top / "elsewhere")
    assert not state.is_intact() if name != RECORD else store.find("here", tuple) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [('"two"', '"six"'), ('"secret"', "null"), ('"here"', '"here", "x": 1'), ("}", ""), ("{", "[" * 100_000)],
)
def test_a_record_of_which_anything_was_altered_is_no_checkpoint(
    store: CheckpointStore, old: str, new: str
) -> None:
    write(store, "one", "two")
    record = find(store).folder / RECORD
    record.write_text(record.read_text().replace(old, new))
    assert store.find("here", tuple) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"files": "1"},
        {"revisions": (1,)},
        {"password": None},
        {"dependencies": (Dependency(5, "x", is_essential=True),)},  # type: ignore[arg-type]
    ],
)
def test_a_record_with_a_value_of_another_type_is_no_checkpoint(
    store: CheckpointStore, changed: dict[str, Any]
) -> None:
    write(store, "one")
    state = find(store)
    write_record(state.folder, replace(state.record, **changed))
    assert store.find("here", tuple) is None


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "[]", '{"revisions": []}', '{"surroundings": 1}'])
def test_a_record_of_another_kind_is_no_checkpoint(store: CheckpointStore, text: str) -> None:
    write(store, "one")
    digest = hashlib.blake2b(text.encode(), digest_size=DIGEST_BYTES).hexdigest()
    (find(store).folder / RECORD).write_text(f"{digest}\n{text}")
    assert store.find("here", tuple) is None


def test_what_others_may_write_to_is_no_checkpoint(store: CheckpointStore) -> None:
    write(store, "one")
    find(store).folder.chmod(0o777)
    assert store.find("here", tuple) is None


def test_nothing_is_written_where_others_may(store: CheckpointStore) -> None:
    store.folder.parent.mkdir(parents=True)
    store.folder.parent.chmod(0o777)
    with pytest.raises(PermissionError):
        store.make_folder()
    assert list(store.folder.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_in_the_image_the_owner_of_the_cache_gets_what_is_written(store: CheckpointStore) -> None:
    given = replace(store, receiver=(1001, 1001))
    write(given, "one")
    assert find(given).is_intact()
    files = list(given.folder.parent.rglob("*"))
    assert {path.lstat().st_uid for path in files} == {1001}
    assert store.find("here", tuple) is None  # another user's, to a gate that is not in the image


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_link_to_a_checkpoint_or_to_a_folder_around_it_is_none(store: CheckpointStore, level: int) -> None:
    write(store, "one")
    state = find(store)
    folder = (state.folder, *state.folder.parents)[level]
    folder.rename(store.top / "elsewhere")
    folder.symlink_to(store.top / "elsewhere")
    assert store.find("here", tuple) is None
    with pytest.raises(PermissionError) if level else nullcontext():
        store.make_folder()


def test_a_removed_one_is_gone_for_all(store: CheckpointStore) -> None:
    write(store, "one")
    state = find(store)
    store.remove(state)
    store.remove(state)
    assert store.find("here", tuple) is None
    assert list(store.folder.iterdir()) == []


def test_two_runs_that_write_at_once_leave_complete_ones(store: CheckpointStore) -> None:
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda name: write(store, "one", name), ("two", "three")))
    states = [read_state(path, {os.geteuid()}) for path in store.folder.iterdir()]
    assert {state.newest_revision for state in states if state is not None and state.is_intact()} == {
        "two",
        "three",
    }


def test_old_sessions_of_the_log_have_numbers_that_no_process_has() -> None:
    log = b"2026-01-01 UTC|17|00000|app|db|LOG:  a|17|00000|b\n2026-01-01 UTC|4|42P07||db|ERROR:  x\n"
    marked = b"2026-01-01 UTC|017|00000|app|db|LOG:  a|17|00000|b\n2026-01-01 UTC|04|42P07||db|ERROR:  x\n"
    assert mark_old_sessions(log) == marked
