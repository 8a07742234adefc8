"""The answer on the base that is kept with a checkpoint: it serves for the same question, and else never."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migration_gate.change.base_messages import BaseAnswer, BaseInputs, SharedDatabase, SharedReplay
from migration_gate.checkpoint import facts_key, kept_base, sealed_file
from migration_gate.checkpoint.dependencies import Dependency, compute_digest
from migration_gate.checkpoint.facts_key import FactsPlace
from migration_gate.checkpoint.kept_base import (
    FILE,
    BaseStore,
    KeptBase,
    compute_shared_digest,
    decode_answer,
)
from migration_gate.checkpoint.saved_state import SavedState, StateRecord
from migration_gate.facts import Facts, Replay
from migration_gate.worker.protocol.order import ModelsRequest
from tests.support.example_reports import settings
from tests.support.git_repositories import started

RECORD = StateRecord("here", (), ("one",), (), "migration_gate_1", "secret", 1, 1, "content", "steps")
ANSWER = BaseAnswer(Facts("shop"), comment_texts=(("a.py", "# x"),))
DATA = pickle.dumps(ANSWER)
INPUTS = BaseInputs(("migrations/versions/one.py", "shop/helper.py"), ())
KEPT = KeptBase("key", "shared", INPUTS, DATA)
DATABASE = SharedDatabase(ModelsRequest((), ("public.item",)), is_of_base=True)
REPLAY = SharedReplay(Replay(), has_new_revisions=True)
PROJECT = {
    "migrations/env.py": "context.run_migrations()",
    "migrations/versions/one.py": "down_revision = None\nopen('seed.csv')",
    "seed.csv": "1",
}


class Attack:
    """A pickle of it runs a program."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch attacked",)


@pytest.fixture
def store(tmp_path: Path) -> BaseStore:
    return BaseStore(FactsPlace(SavedState(tmp_path, RECORD), "surroundings", writes=True))


def test_what_was_kept_is_read_under_its_key_alone(store: BaseStore) -> None:
    store.write(KEPT)
    assert store.read("key") == KEPT
    assert store.read("other") is None
    assert (store.place.state.folder / FILE).stat().st_mode & 0o077 == 0
    store.remove()
    assert store.read("key") is None


def test_a_later_one_takes_its_place(store: BaseStore) -> None:
    store.write(KEPT)
    store.write(replace(KEPT, key="later"))
    assert (store.read("key"), store.read("later")) == (None, replace(KEPT, key="later"))
    assert [path.name for path in store.place.state.folder.iterdir()] == [FILE]


def test_a_run_that_may_not_write_keeps_none(store: BaseStore) -> None:
    BaseStore(replace(store.place, writes=False)).write(KEPT)
    assert store.read("key") is None


def test_one_that_is_too_large_is_not_kept(store: BaseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed_file, "MAX_BYTES", 10)
    store.write(KEPT)
    assert list(store.place.state.folder.iterdir()) == []


@pytest.mark.parametrize("position", [0, 70, -1])
def test_a_damaged_one_is_none(store: BaseStore, position: int) -> None:
    store.write(KEPT)
    file = store.place.state.folder / FILE
    data = bytearray(file.read_bytes())
    data[position] ^= 1
    file.write_bytes(data)
    assert store.read("key") is None


@pytest.mark.parametrize("length", [0, 10, 100])
def test_one_that_is_cut_off_is_none(store: BaseStore, length: int) -> None:
    store.write(KEPT)
    os.truncate(store.place.state.folder / FILE, length)
    assert store.read("key") is None


def test_what_is_no_plain_file_is_none_and_not_waited_for(store: BaseStore) -> None:
    os.mkfifo(store.place.state.folder / FILE)
    assert store.read("key") is None


@pytest.mark.parametrize("value", [Attack(), (ANSWER, Attack()), Path(), BaseAnswer(), None, Facts("shop")])
def test_what_is_no_answer_with_facts_is_none_and_runs_nothing(
    value: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert decode_answer(pickle.dumps(value)) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "code",
    [
        b"cmigration_gate.facts.replay\nre.compile\n.",
        b"\x80\x04\x8c\x1bmigration_gate.facts.replay\x8c\x0bdefaultdict\x93.",
        b"cmigration_gate.facts.nothing\nx\n.",
    ],
)
def test_other_names_in_the_modules_of_facts_are_not_reached(code: bytes) -> None:
    with pytest.raises((pickle.UnpicklingError, AttributeError, ImportError)):
        sealed_file.FactUnpickler(code, kept_base.FURTHER_PARTS).load()
    assert decode_answer(code) is None


def test_it_answers_what_it_was_asked(tmp_path: Path) -> None:
    outside = tmp_path / "outside.toml"
    outside.write_text("1")
    dependency = Dependency(str(outside), compute_digest(outside), is_essential=True)
    kept = replace(KEPT, inputs=replace(INPUTS, outside_files=(dependency,)))
    assert kept.read_answer("shared") == ANSWER
    assert kept.read_answer("something else") is None
    outside.write_text("2")
    assert kept.read_answer("shared") is None


def test_the_digest_of_what_is_shared_is_of_its_values() -> None:
    digest = compute_shared_digest(DATABASE, REPLAY)
    name = "".join(["public", ".", "item"])
    same = replace(DATABASE, request=ModelsRequest((), (name,)))
    assert compute_shared_digest(same, REPLAY) == digest
    others = [
        (replace(DATABASE, request=ModelsRequest((), ())), REPLAY),
        (DATABASE, replace(REPLAY, has_new_revisions=False)),
        (DATABASE, replace(REPLAY, replay=Replay(version_tables=("public.v",)))),
        (DATABASE, replace(REPLAY, lost_tables=("public.item",))),
    ]
    assert digest not in {compute_shared_digest(*other) for other in others}


def test_whatever_it_depends_on_is_in_the_key(store: BaseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    place = store.place

    def compute(store: BaseStore = store, **changed: Any) -> str:
        known: dict[str, Any] = {
            "settings": settings("shop"),
            "python": Path("/env/bin/python"),
            "tree": "f" * 40,
            "environ": {"MODE": "1"},
        }
        return store.compute_key(**{**known, **changed})

    key = compute()
    assert compute() == compute(environ={"MODE": "1", "OLDPWD": "/", "SHLVL": "2"}) == key
    record = replace(RECORD, content="other")
    others = [
        compute(BaseStore(replace(place, surroundings="other"))),
        compute(BaseStore(replace(place, state=replace(place.state, record=record)))),
        compute(settings=replace(settings("shop"), observe="off")),
        compute(python=Path("/other/bin/python")),
        compute(tree="0" * 40),
        compute(environ={"MODE": "2"}),
        compute(environ={"MODE": "1", "TERM": "xterm"}),
    ]
    monkeypatch.setattr(facts_key, "describe_own_code", lambda: "edited")
    assert len({key, *others, compute()}) == len(others) + 2


@pytest.mark.parametrize(
    ("changed", "fits"),
    [
        (["shop/models.py", "README.md"], True),
        (["migrations/versions/two.py"], True),
        (["migrations/versions/one.py"], False),
        (["shop/helper.py"], False),
        (["other/env.py"], False),
        (["seed.csv"], False),
        (["shop", "shop/models.py"], False),
    ],
)
def test_a_change_of_what_the_replay_depends_on_needs_a_new_examination(
    tmp_path: Path, changed: list[str], fits: bool
) -> None:
    top = started(tmp_path / "repository", PROJECT)
    assert KEPT.fits_change(top, changed) is fits
