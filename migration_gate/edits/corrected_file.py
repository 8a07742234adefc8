"""A whole file with all its corrections, also where several of them change the same line."""

from __future__ import annotations

from collections.abc import Iterable

from migration_gate.edits.file_edits import FileText, apply_edits
from migration_gate.edits.revision_header import rename_in_docstring
from migration_gate.edits.suggested_edits import EditMaker
from migration_gate.facts import Correction, SetVariable, SourceEdit

PARENT = "down_revision"


def correct_file(path: str, content: bytes, corrections: Iterable[Correction]) -> FileText:
    """The file with those of the corrections that can be made. Raises NotApplicable or NotEditable.

    The last ones in the file are made first, so that the lines of the others stay where they are; each is
    made of the text that the one before it left. `Revises:` follows `down_revision`.
    """
    edits = ((correction, _make_edit(path, content, correction)) for correction in corrections)
    lines = [(edit.first_line, correction) for correction, edit in edits if edit is not None]
    new_content = content
    for _, correction in sorted(lines, key=lambda item: -item[0]):
        edit = _make_edit(path, new_content, correction)
        if edit is not None:
            new_content = apply_edits(path, new_content, [edit]).after
    for _, correction in lines:
        if isinstance(correction, SetVariable) and correction.name == PARENT:
            new_content = rename_in_docstring(new_content, correction.old_value, correction.new_value)
    return FileText(path, content, new_content)


def _make_edit(path: str, content: bytes, correction: Correction) -> SourceEdit | None:
    """The edit of the content as it is now; None if it cannot be made."""
    text = content.decode("utf-8", "replace")
    return next(iter(EditMaker({path: text}).make_edits([correction])), None)
