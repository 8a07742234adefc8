"""What the files of revisions say is kept: a file with another content, or damage, is parsed again."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from migration_gate.checkpoint import kept_texts
from migration_gate.checkpoint.kept_texts import FILE, KeptTexts
from migration_gate.checkpoint.saved_state import SavedState, StateRecord
from migration_gate.checkpoint.sealed_file import compute_digest, describe_own_code, write_sealed_file
from migration_gate.scan.revision_files import RevisionSource, parse_revision_file
from tests.support.user_project import revision

RECORD = StateRecord("here", (), ("one",), (), "migration_gate_1", "secret", 1, 1, "content", "steps")
ONE = revision("one", None, 'op.create_table("item", sa.Column("id", sa.Integer))').encode()
TWO = revision("two", "one", 'op.add_column("item", sa.Column("name", sa.Text))').encode()


class Attack:
    """A pickle of it runs a program."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("touch attacked",)


@pytest.fixture
def state(tmp_path: Path) -> SavedState:
    return SavedState(tmp_path, RECORD)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the files that are parsed."""
    paths: list[str] = []

    def note_path(data: bytes, path: str) -> RevisionSource | None:
        paths.append(path)
        return parse_revision_file(data, path)

    monkeypatch.setattr(kept_texts, "parse_revision_file", note_path)
    return paths


def keep(state: SavedState, *, writes: bool = True) -> None:
    texts = KeptTexts(state, writes=writes)
    texts.parse(ONE, "one.py")
    texts.keep()


def test_what_was_kept_is_not_parsed_again(state: SavedState, parsed: list[str]) -> None:
    keep(state)
    texts = KeptTexts(state, writes=True)
    source = texts.parse(ONE, "one.py")
    assert source == parse_revision_file(ONE, "one.py")
    assert source is not None
    assert source.file.find_calls()  # its text is parsed when that is asked
    assert parsed == ["one.py"]


def test_another_content_or_name_is(state: SavedState, parsed: list[str]) -> None:
    keep(state)
    texts = KeptTexts(state, writes=True)
    assert texts.parse(TWO, "one.py") == parse_revision_file(TWO, "one.py")
    assert texts.parse(ONE, "two.py") == parse_revision_file(ONE, "two.py")
    assert texts.parse(b"x = 1", "three.py") is None
    assert parsed == ["one.py", "one.py", "two.py", "three.py"]


def test_only_what_is_new_is_written(state: SavedState) -> None:
    keep(state)
    file = state.folder / FILE
    before = file.stat().st_ino
    keep(state)
    assert file.stat().st_ino == before
    texts = KeptTexts(state, writes=True)
    texts.parse(TWO, "two.py")
    texts.keep()
    assert file.stat().st_ino != before


def test_a_run_that_may_not_write_keeps_none(state: SavedState) -> None:
    keep(state, writes=False)
    assert list(state.folder.iterdir()) == []


@pytest.mark.parametrize("value", [Attack(), {"x": Attack()}, None, 5, ("", {})])
def test_what_is_something_else_is_nothing_and_runs_nothing(
    state: SavedState, parsed: list[str], monkeypatch: pytest.MonkeyPatch, value: object
) -> None:
    monkeypatch.chdir(state.folder)
    stamp = compute_digest(describe_own_code().encode())
    write_sealed_file(state.folder / FILE, pickle.dumps(value))
    assert KeptTexts(state, writes=True).parse(ONE, "one.py") == parse_revision_file(ONE, "one.py")
    write_sealed_file(state.folder / FILE, pickle.dumps((stamp, value)))
    assert KeptTexts(state, writes=True).parse(ONE, "one.py") == parse_revision_file(ONE, "one.py")
    assert parsed == ["one.py", "one.py"]
    assert [path.name for path in state.folder.iterdir()] == [FILE]


def test_a_damaged_file_or_one_of_another_gate_is_not_used(
    state: SavedState, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(state)
    with monkeypatch.context() as patch:
        patch.setattr(kept_texts, "describe_own_code", lambda: "edited")
        KeptTexts(state, writes=False).parse(ONE, "one.py")
    file = state.folder / FILE
    file.write_bytes(file.read_bytes()[:-1])
    KeptTexts(state, writes=False).parse(ONE, "one.py")
    assert parsed == ["one.py"] * 3
