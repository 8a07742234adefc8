"""The exact edits for the corrections of a finding, where the text of the files allows them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from migration_gate.correction import (
    AddImports,
    Correction,
    SetKeyword,
    SetTypeArguments,
    SetVariable,
    SourceEdit,
)
from migration_gate.edits.argument_edits import set_keyword, set_type_arguments
from migration_gate.edits.module_edits import add_imports, set_variable
from migration_gate.edits.source_text import SourceText

MAX_LINES = 40
"""of an edit"""
MAX_LINE_LENGTH = 500
"""characters"""


def make_edits(corrections: Iterable[Correction], texts: Mapping[str, str]) -> Iterator[SourceEdit]:
    """An edit for each correction that can be made exactly; `texts` are the files by their paths."""
    for correction in corrections:
        edit = _make_edit(correction, texts)
        if edit is not None and _can_be_shown(edit):
            yield edit


def _make_edit(correction: Correction, texts: Mapping[str, str]) -> SourceEdit | None:
    """The edit; None if the file is not known, is no Python, or is not as the correction expects it."""
    file = correction.file if isinstance(correction, SetVariable | AddImports) else correction.location.file
    if file.startswith("/") or file not in texts:
        return None  # outside of the repository, or not read
    try:
        return _correct(SourceText(file, texts[file]), correction)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _correct(source: SourceText, correction: Correction) -> SourceEdit | None:
    match correction:
        case SetKeyword():
            return set_keyword(source, correction)
        case SetTypeArguments():
            return set_type_arguments(source, correction)
        case SetVariable():
            return set_variable(source, correction)
        case AddImports():
            return add_imports(source, correction)


def _can_be_shown(edit: SourceEdit) -> bool:
    """Whether a report can show the lines as they are: none is too long, or has characters that hide."""
    lines = (*edit.old_lines, *edit.new_lines)
    return len(lines) <= MAX_LINES and all(
        len(line) <= MAX_LINE_LENGTH and not any(map(_is_hidden, line)) for line in lines
    )


def _is_hidden(character: str) -> bool:
    """Whether it is a control or formatting character, which could change what a reader sees."""
    return character != "\t" and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
