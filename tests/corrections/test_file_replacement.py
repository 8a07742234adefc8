"""Files of a project get new content together, or stay as they are."""

from pathlib import Path

import pytest

from migration_gate.corrections.file_replacement import replace_files


def test_contents_are_replaced_and_modes_stay(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_bytes(b"old")
    script.chmod(0o750)
    gone = tmp_path / "gone.py"
    gone.write_bytes(b"old")

    replace_files({script: b"new", gone: None, tmp_path / "more.py": b"more"})

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "script.py": b"new",
        "more.py": b"more",
    }
    assert script.stat().st_mode & 0o777 == 0o750


def test_all_files_stay_as_they_were_if_one_cannot_be_written(tmp_path: Path) -> None:
    first = tmp_path / "first.py"
    first.write_bytes(b"old")
    folder = tmp_path / "folder.py"
    folder.mkdir()

    with pytest.raises(OSError, match=r"folder\.py"):
        replace_files({first: b"new", tmp_path / "second.py": b"new", folder: b"new"})

    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.py", "folder.py"]
    assert first.read_bytes() == b"old"


def test_a_file_that_cannot_be_put_in_place_brings_back_those_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    first.write_bytes(b"old")
    replace = Path.replace

    def refuse_second(draft: Path, target: Path) -> Path:
        if target.name == second.name:
            raise OSError("no room")
        return replace(draft, target)

    monkeypatch.setattr(Path, "replace", refuse_second)
    with pytest.raises(OSError, match="no room"):
        replace_files({first: b"new", second: b"new"})

    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("first.py", b"old")]


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    file, link = tmp_path / "file.py", tmp_path / "link.py"
    file.write_bytes(b"old")
    link.symlink_to(file)

    replace_files({link: b"new"})

    assert link.is_symlink()
    assert file.read_bytes() == b"new"


def test_a_link_that_was_planted_beside_a_file_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"theirs")
    file = tmp_path / "baseline"
    for name in ("baseline.new", ".baseline.new"):
        (tmp_path / name).symlink_to(victim)

    replace_files({file: b"ours"})

    assert victim.read_bytes() == b"theirs"
    assert file.read_bytes() == b"ours"


def test_a_file_that_is_marked_to_be_read_only_is_not_replaced(tmp_path: Path) -> None:
    kept, other = tmp_path / "kept.py", tmp_path / "other.py"
    for file in (kept, other):
        file.write_bytes(b"old")
    kept.chmod(0o444)

    with pytest.raises(PermissionError, match=r"kept\.py"):
        replace_files({other: b"new", kept: b"new"})

    assert (kept.read_bytes(), other.read_bytes()) == (b"old", b"old")
