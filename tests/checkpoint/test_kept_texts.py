"""What the files of revisions say is kept: a file with another content, or damage, is parsed again."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from migration_gate.checkpoint import kept_texts
from migration_gate.checkpoint.kept_texts import FILE, KeptTexts
from migration_gate.checkpoint.sealed_file import compute_digest, describe_own_code, write_sealed_file
from migration_gate.scan.revision_files import RevisionSource, parse_revision_file
from tests.support.user_project import revision

ONE = revision("one", None, 'op.create_table("item", sa.Column("id", sa.Integer))').encode()
TWO = revision("two", "one", 'op.add_column("item", sa.Column("name", sa.Text))').encode()


class Attack:
    """A pickle of it runs a program."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("touch attacked",)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the files that are parsed."""
    paths: list[str] = []

    def note_path(data: bytes, path: str) -> RevisionSource | None:
        paths.append(path)
        return parse_revision_file(data, path)

    monkeypatch.setattr(kept_texts, "parse_revision_file", note_path)
    return paths


def keep(folder: Path) -> None:
    texts = KeptTexts(None)
    texts.parse(ONE, "one.py")
    texts.write(folder)


def test_what_was_kept_is_not_parsed_again(tmp_path: Path, parsed: list[str]) -> None:
    keep(tmp_path)
    texts = KeptTexts(tmp_path)
    source = texts.parse(ONE, "one.py")
    assert source == parse_revision_file(ONE, "one.py")
    assert source is not None
    assert source.file.find_calls()  # its text is parsed when that is asked
    assert parsed == ["one.py"]


def test_another_content_or_name_is(tmp_path: Path, parsed: list[str]) -> None:
    keep(tmp_path)
    texts = KeptTexts(tmp_path)
    assert texts.parse(TWO, "one.py") == parse_revision_file(TWO, "one.py")
    assert texts.parse(ONE, "two.py") == parse_revision_file(ONE, "two.py")
    assert texts.parse(b"x = 1", "three.py") is None
    assert parsed == ["one.py", "one.py", "two.py", "three.py"]


def test_it_is_known_whether_something_is_new(tmp_path: Path) -> None:
    keep(tmp_path)
    texts = KeptTexts(tmp_path)
    texts.parse(ONE, "one.py")
    assert not texts.has_new
    texts.parse(TWO, "two.py")
    assert texts.has_new


@pytest.mark.parametrize("value", [Attack(), {"x": Attack()}, None, 5, ("", {})])
def test_what_is_something_else_is_nothing_and_runs_nothing(
    tmp_path: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch, value: object
) -> None:
    monkeypatch.chdir(tmp_path)
    stamp = compute_digest(describe_own_code().encode())
    write_sealed_file(tmp_path / FILE, pickle.dumps(value))
    assert KeptTexts(tmp_path).parse(ONE, "one.py") == parse_revision_file(ONE, "one.py")
    write_sealed_file(tmp_path / FILE, pickle.dumps((stamp, value)))
    assert KeptTexts(tmp_path).parse(ONE, "one.py") == parse_revision_file(ONE, "one.py")
    assert parsed == ["one.py", "one.py"]
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_damaged_file_or_one_of_another_gate_is_not_used(
    tmp_path: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(kept_texts, "describe_own_code", lambda: "edited")
        KeptTexts(tmp_path).parse(ONE, "one.py")
    file = tmp_path / FILE
    file.write_bytes(file.read_bytes()[:-1])
    KeptTexts(tmp_path).parse(ONE, "one.py")
    assert parsed == ["one.py"] * 3
