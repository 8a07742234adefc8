"""Edits of lines as whole files and as diffs."""

from __future__ import annotations

import pytest

from migration_gate.edits.file_edits import (
    FileText,
    NotApplicable,
    apply_edits,
    keep_line_ends,
    render_diff,
)
from migration_gate.facts import SourceEdit


def edit(line: int, old: str, new: str, file: str = "a.py") -> SourceEdit:
    return SourceEdit(file, line, tuple(old.split("\n")), tuple(new.split("\n")))


def test_edits_of_one_file_are_all_made_where_they_belong() -> None:
    edits = [edit(1, "a", "a1\na2"), edit(3, "c", "C")]
    assert apply_edits("a.py", b"a\nb\nc\nd", edits).after == b"a1\na2\nb\nC\nd"


def test_line_ends_and_bytes_that_are_no_text_stay_as_they_are() -> None:
    assert apply_edits("a.py", b"\xff\r\nb\r\n", [edit(2, "b", "B")]).after == b"\xff\r\nB\r\n"


def test_only_what_ends_lines_for_python_ends_one() -> None:
    content = "a = '\u2028'\nb\x0c\nc\n".encode()
    assert apply_edits("a.py", content, [edit(3, "c", "C")]).after == "a = '\u2028'\nb\x0c\nC\n".encode()


@pytest.mark.parametrize(
    ("before", "text", "expected"),
    [
        ("a\r\nb\nc\r\n", "a\nb\nnew\nc\n", "a\r\nb\nnew\nc\r\n"),
        ("a\r\nb\r\n", "new\na\nb\n", "new\r\na\r\nb\r\n"),
        ("a\r\nb", "a\nb\nnew\n", "a\r\nb\r\nnew\r\n"),
        ("a\rb\r", "a\nnew\nb\n", "a\rnew\rb\r"),
        ("a\x0cb\r\n", "a\x0cb\nnew\n", "a\x0cb\r\nnew\r\n"),
        ("", "new\n", "new\n"),
        ("a", "a", "a"),
        ("a\r\n", "a\n", "a\r\n"),
        ("a\r\na\r\n", "a\na\na\n", "a\r\na\r\na\r\n"),
    ],
)
def test_a_new_text_has_the_line_ends_of_the_old_one(before: str, text: str, expected: str) -> None:
    assert keep_line_ends(before, text) == expected


def test_lines_that_have_changed_are_not_edited() -> None:
    with pytest.raises(NotApplicable, match=r"a\.py:2"):
        apply_edits("a.py", b"a\nx\n", [edit(2, "b", "B")])


def test_a_diff_can_be_applied() -> None:
    assert render_diff(FileText("a.py", b"a\r\nb", b"a\r\nB")) == (
        "--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n a\n-b\n+B\n"
    )
    assert render_diff(FileText("n.py", None, b"a\n")).startswith("--- /dev/null\n+++ b/n.py\n")
