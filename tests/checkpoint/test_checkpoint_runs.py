"""A run that begins from a checkpoint reports what one from scratch does."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from migration_gate.checkpoint.saved_state import SavedState
from migration_gate.config.settings import Settings
from migration_gate.errors import Broken
from migration_gate.facts import Checkpoint, Facts
from migration_gate.postgres.server import Server
from migration_gate.replay.early_filling import EarlyFilling
from migration_gate.replay.examination import REPEATED, examine_project
from migration_gate.replay.server_watch import ServerWatch
from tests.support.git_repositories import commit, git
from tests.support.user_project import ENV, MODELS, World, project, revision

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("cache")]

TIMEOUT_ENV = ENV.replace(
    "        context.run_migrations()",
    "        connection.exec_driver_sql(\"set local lock_timeout = '7s'\")\n        context.run_migrations()",
)
OLD = (
    "op.execute(\"create type kind as enum ('a', 'b')\")",
    'op.create_table("part", sa.Column("id", sa.Integer, primary_key=True), '
    'sa.Column("item_id", sa.Integer, sa.ForeignKey("item.id")))',
    'op.create_index("by_item", "part", ["item_id"])',
    'op.execute("create view some_items as select id, name from item")',
    "op.execute(\"create function one() returns int language sql as 'select 1'\")",
    'op.execute("create sequence numbers")',
    "op.execute(\"insert into item (name) select 'x' || g from generate_series(1, 20) g\")",
    'op.execute("create table if not exists item (id int)")',
    'op.execute("do $$ begin create table item (x int); exception when others then null; end $$")',
    'op.execute("create table log (id int, k int) partition by range (k)")',
    'op.execute("create schema shelf"); op.execute("create table shelf.box (id int, d date)")',
    "op.execute(\"comment on table item is 'things'\")",
)
"""one of each kind of object, and what the gate reads from the server's log"""
NEW = (
    "op.execute(\"do $$ begin if current_setting('lock_timeout') <> '7s' \"\n"
    "           \"then raise 'lost'; end if; end $$\")\n"
    'op.add_column("item", sa.Column("extra", sa.Integer))\nop.execute("drop view some_items")'
)
AUTOCOMMIT = (
    "op.execute(\"create type kind as enum ('a')\")\nwith op.get_context().autocommit_block():\n"
    "    op.execute(\"alter type kind add value 'b'\")"
)
NEW_SEQUENCE = 'op.execute("create sequence later")'
NEW_MODELS = MODELS + "    extra = Column(Integer)\n"
VOLATILE = {"oid", "seconds", "stage_times", "checkpoint", "notes", "output", "root"}


def old_revisions() -> dict[str, str]:
    files, parent = {}, "two"
    for number, upgrade in enumerate(OLD):
        files[f"migrations/versions/r{number:02}.py"] = revision(f"r{number:02}", parent, upgrade)
        parent = f"r{number:02}"
    return files


def examine(folder: Path, checkpoint: Any, **changed: Any) -> Facts:
    settings = Settings(
        "shop",
        folder,
        folder,
        project_folder=folder,
        python=Path(sys.executable),
        checkpoint=checkpoint,
        **changed,
    )
    examination = examine_project(settings)
    while True:
        try:
            next(examination)
        except StopIteration as end:
            facts: Facts = end.value
            return facts


def list_differences(one: Any, other: Any, place: str = "") -> list[str]:
    if dataclasses.is_dataclass(one) and type(one) is type(other):
        names = [item.name for item in dataclasses.fields(one) if item.name not in VOLATILE]
        pairs = [(name, getattr(one, name), getattr(other, name)) for name in names]
    elif isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        pairs = [(str(number), *pair) for number, pair in enumerate(zip(one, other, strict=True))]
    else:
        return [] if one == other else [f"{place}: {one!r} {other!r}"]
    return [line for name, *pair in pairs for line in list_differences(pair[0], pair[1], f"{place}.{name}")]


def last_note(facts: Facts) -> str:
    return facts.replay.notes[-1]


def test_the_facts_are_those_of_a_run_from_scratch(place: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ignored = {".gitignore": "__pycache__/\n"}
    folder = place.lay({**project(env_py=TIMEOUT_ENV), **old_revisions(), **ignored})
    base = git(folder, "rev-parse", "HEAD")
    first = examine(folder, "auto", base=base)
    assert last_note(first) == "the replay began from scratch"
    commit(
        folder,
        {"migrations/versions/new.py": revision("new", "r11", NEW, "pass"), "shop/models.py": NEW_MODELS},
    )
    taken: list[object] = []
    take = EarlyFilling.take

    def note_copy(self: EarlyFilling, version_tables: Sequence[str], revisions: Sequence[str]) -> Any:
        taken.append(take(self, version_tables, revisions))
        return taken[-1]

    with monkeypatch.context() as patch:
        patch.setattr(EarlyFilling, "take", note_copy)
        restored = examine(folder, "auto", base=base)
    assert [copy is not None for copy in taken] == [True]
    count = len(OLD) + 2
    assert restored.replay.checkpoint == Checkpoint("r11", count)
    assert last_note(restored) == (
        f"the replay began from a checkpoint at `r11` ({count} revisions were replayed before)"
    )
    scratch = examine(folder, "scratch", base=base)
    assert scratch.replay.checkpoint == Checkpoint()
    assert restored.replay.skipped_creations
    assert restored.base is not None
    assert restored.base.facts is not None
    assert list_differences(restored, scratch) == []


def test_a_new_revision_may_change_the_order_of_the_branches_before_it(place: World) -> None:
    branches = {
        f"migrations/versions/{name}.py": revision(
            name, parent, f'op.create_table("{name}", sa.Column("x", sa.Integer))'
        )
        for name, parent in (("a1", "two"), ("a2", "a1"), ("b1", "two"), ("b2", "b1"))
    }
    folder = place.lay({**project(), **branches, ".gitignore": "__pycache__/\n"})
    base = git(folder, "rev-parse", "HEAD")
    examine(folder, "auto", base=base)
    for number, parent in enumerate(("a2", "b2")):
        name = f"n{number}"
        change = {f"migrations/versions/{name}.py": revision(name, parent, NEW_SEQUENCE)}
        commit(folder, change)
        facts = examine(folder, "auto", base=base)
        assert last_note(facts).startswith("the replay began from a checkpoint")
        assert facts.replay.failure is None
        (folder / f"migrations/versions/{name}.py").unlink()


def test_rows_are_those_of_the_base_where_the_checkpoint_is_of_an_older_one(place: World) -> None:
    folder = place.lay({**project(), ".gitignore": "__pycache__/\n"})
    examine(folder, "auto", base=git(folder, "rev-parse", "HEAD"))
    make = 'op.create_table("part", sa.Column("id", sa.Integer, primary_key=True))'
    base = commit(folder, {"migrations/versions/old.py": revision("old", "two", make, "pass")})
    drop = 'op.execute("drop table if exists part")'
    commit(folder, {"migrations/versions/new.py": revision("new", "old", drop, make)})
    restored = examine(folder, "auto", base=base)
    assert restored.replay.checkpoint == Checkpoint("two", 2)
    (rehearsed,) = restored.replay.rehearsal.revisions
    assert [change.table for change in rehearsed.changes] == ["part"]
    assert list_differences(restored, examine(folder, "off", base=base)) == []


@pytest.mark.release
def test_a_failure_is_reported_from_scratch(place: World) -> None:
    folder = place.lay(project(two_py=revision("two", "one", AUTOCOMMIT)))
    base = git(folder, "rev-parse", "HEAD")
    examine(folder, "auto", base=base)
    commit(folder, {"migrations/versions/new.py": revision("new", "two", 'op.execute("select 1/0")')})
    failed = examine(folder, "auto", base=base)
    assert failed.replay.failure is not None
    assert last_note(failed) == f"{REPEATED}division by zero"
    assert list_differences(failed, examine(folder, "off", base=base)) == []


@pytest.mark.release
def test_a_checkpoint_of_a_later_base_is_left_to_runs_on_that(place: World) -> None:
    folder = place.lay(project())
    base = git(folder, "rev-parse", "HEAD")
    examine(folder, "auto", base=base)
    commit(folder, {"migrations/versions/new.py": revision("new", "two", NEW_SEQUENCE)})
    examine(folder, "auto", base="HEAD")
    assert examine(folder, "auto", base="HEAD").replay.checkpoint == Checkpoint("new", 3)
    assert examine(folder, "auto", base=base).replay.checkpoint == Checkpoint("two", 2)


@pytest.mark.release
def test_a_checkpoint_from_which_a_run_fails_is_not_used_again(
    place: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = place.lay(project())
    base = git(folder, "rev-parse", "HEAD")
    examine(folder, "auto", base=base)
    commit(folder, {"migrations/versions/new.py": revision("new", "two", NEW_SEQUENCE)})
    with monkeypatch.context() as patch:
        patch.setattr(SavedState, "read_lines", lambda _: b"")
        assert last_note(examine(folder, "auto", base=base)).startswith(REPEATED)
    assert "the replay began from scratch" in examine(folder, "auto", base=base).replay.notes


def test_a_damaged_checkpoint_is_removed_and_said(place: World, cache: Path) -> None:
    folder = place.lay(project())
    before = set(cache.glob("*/*"))
    examine(folder, "auto")
    (kept,) = set(cache.glob("*/*")) - before
    control = kept / "data/global/pg_control"
    control.write_bytes(control.read_bytes()[:-1] + b"x")
    facts = examine(folder, "auto")
    assert last_note(facts) == (
        "the replay began from scratch; no checkpoint was kept: one was damaged, and was removed"
    )
    assert not kept.exists()


def test_a_replay_that_leaves_another_state_is_a_problem_of_the_gate(
    place: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    watches: list[ServerWatch] = []
    begin = ServerWatch.__init__

    def note_watch(self: ServerWatch, server: Server) -> None:
        begin(self, server)
        watches.append(self)

    monkeypatch.setattr(ServerWatch, "__init__", note_watch)
    upgrade = 'import time\nop.create_table("t%d" % time.time_ns(), sa.Column("id", sa.Integer))'
    folder = place.lay(project(two_py=revision("two", "one", upgrade)))
    examine(folder, "auto")
    with pytest.raises(Broken, match="another state than the checkpoint at two") as caught:
        examine(folder, "scratch")
    assert caught.value.status == 3
    assert [watch._session.closed for watch in watches] == [True] * len(watches)  # the error has all frames
    examine(folder, "scratch")  # it was removed


def test_a_cache_that_cannot_be_written_is_a_remark(
    place: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "migration-gate").mkdir(mode=0o700)
    (tmp_path / "migration-gate/checkpoints").write_text("no folder")
    facts = examine(place.lay(project()), "auto")
    assert "no checkpoint was kept: it could not be written" in last_note(facts)
    assert facts.replay.failure is None


@pytest.mark.release
@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="needs root, to mount a small disk")
def test_a_full_disk_under_the_cache_is_a_remark_and_nothing_is_left_on_it(
    place: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    checkpoints = tmp_path / "migration-gate/checkpoints"
    checkpoints.mkdir(mode=0o700, parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", str(checkpoints)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this root may not mount a file system")
    try:
        facts = examine(place.lay(project()), "auto")
        left = list(checkpoints.rglob("*/*"))
    finally:
        subprocess.run(["umount", "-l", str(checkpoints)], check=True)
    assert last_note(facts).endswith(
        "no checkpoint was kept: it could not be written: No space left on device"
    )
    assert (facts.replay.failure, left) == (None, [])
