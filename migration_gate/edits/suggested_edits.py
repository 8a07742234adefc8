"""The exact edits for the corrections of a finding, where the text of the files allows them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from migration_gate.edits.argument_edits import set_keyword, set_type_arguments
from migration_gate.edits.file_edits import BYTE_ORDER_MARK
from migration_gate.edits.module_edits import add_imports, set_variable
from migration_gate.edits.source_text import SourceText
from migration_gate.facts import (
    AddImports,
    Correction,
    SetKeyword,
    SetTypeArguments,
    SetVariable,
    SourceEdit,
)

MAX_EDITS = 50
"""of one run: who has more to correct does so by other means"""
MAX_LINES = 40
"""of an edit"""
MAX_LINE_LENGTH = 500
"""characters"""


class EditMaker:
    """Makes the edits of one run; each file is parsed once."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._sources: dict[str, SourceText | None] = {}
        self._made = 0

    def make_edits(self, corrections: Iterable[Correction]) -> Iterator[SourceEdit]:
        """An edit for each correction that can be made exactly, up to the limit for a run."""
        for correction in corrections:
            edit = self._make_edit(correction) if self._made < MAX_EDITS else None
            if edit is not None and _can_be_shown(edit):
                self._made += 1
                yield edit

    def _make_edit(self, correction: Correction) -> SourceEdit | None:
        """The edit; None if the file is not known, is no Python, or is not as the correction expects it."""
        file = name_file(correction)
        if file not in self._sources:
            self._sources[file] = _parse_source(file, self._texts)
        source = self._sources[file]
        try:
            return _correct(source, correction) if source is not None else None
        except (SyntaxError, ValueError, RecursionError):
            return None


def name_file(correction: Correction) -> str:
    """The file that is to be edited."""
    match correction:
        case SetKeyword(location=location) | SetTypeArguments(location=location):
            return location.file
        case SetVariable(file=file) | AddImports(file=file):
            return file


def _parse_source(file: str, texts: Mapping[str, str]) -> SourceText | None:
    """The file; None if it is outside of the repository, was not read, or is no Python."""
    if file.startswith("/") or file not in texts:
        return None
    try:
        return SourceText(file, texts[file].removeprefix(BYTE_ORDER_MARK))
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
