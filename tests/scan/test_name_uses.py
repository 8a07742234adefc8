"""Where the repository's Python names what a fix would drop."""

from __future__ import annotations

from pathlib import Path

import pytest

from migration_gate.scan.name_uses import MAX_USES, find_name_uses
from tests.support.tracked_files import tracked_repository

pytestmark = pytest.mark.slow  # each starts another program
REVISION = 'revision = "1"\ndown_revision = None\n\n\ndef upgrade():\n    op.create_table("old_flag")\n'


def find(folder: Path, files: dict[str, str | bytes], *names: str) -> list[str]:
    root = tracked_repository(folder, files)
    revision = str(root / "migrations/versions/1.py")
    return [f"{use.name} {use.location}" for use in find_name_uses(root, [revision], names or ("old_flag",))]


def test_a_name_is_found_as_identifier_attribute_and_word_of_a_string(tmp_path: Path) -> None:
    text = (
        'old_flag = 1\nuser.old_flag = 2\nsql = """\nselect old_flag\n"""\n'
        'x = f"update {t} set old_flag = 1"\nd["old_flag"]\n# old_flag\nvery_old_flag = old_flags\n'
    )
    assert find(tmp_path, {"app/a.py": text}) == [f"old_flag app/a.py:{line}" for line in (1, 2, 4, 6, 7)]


def test_revisions_of_any_environment_do_not_count_and_tests_come_last(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "migrations/versions/1.py": REVISION,
        "other/versions/1.py": REVISION,
        "app/z.py": "old_flag = 1",
        "tests/test_a.py": "old_flag = 1",
        "a.sql": "old_flag",
    }
    assert find(tmp_path, files) == ["old_flag app/z.py:1", "old_flag tests/test_a.py:1"]


def test_only_some_places_of_each_name_are_kept(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"app/a.py": "old_flag\n" * 30 + "other\n"}
    assert len(find(tmp_path, files, "old_flag", "other")) == MAX_USES + 1


def test_a_file_with_a_syntax_error_is_read_up_to_it(tmp_path: Path) -> None:
    assert find(tmp_path, {"app/a.py": 'old_flag\nx = """'}) == ["old_flag app/a.py:1"]
