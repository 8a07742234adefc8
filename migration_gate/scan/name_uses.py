"""Where the repository's Python, outside of its revisions, names a table or a column."""

from __future__ import annotations

import io
import itertools
import re
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from migration_gate.facts import Location, NameUse
from migration_gate.git.tracked_files import list_tracked_files
from migration_gate.scan.file_content import decode_text, read_file
from migration_gate.scan.migration_files import MigrationFiles
from migration_gate.scan.other_environments import is_revision
from migration_gate.scan.repository import display_path, find_prefix
from migration_gate.scan.source_files import find_source_kind

MAX_USES = 5
"""places of one name that are kept"""
_MAX_LINE = 100
"""characters of a line that are kept"""
_SKIPPED = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)


def find_name_uses(
    project: Path, migration_files: Sequence[str], names: Sequence[str]
) -> tuple[NameUse, ...]:
    """The first places that name each of `names`: as an identifier, an attribute, or a word of a string.

    Comments do not count. Places of the application come before those of tests and documentation.
    """
    if not names:
        return ()
    tracked = list_tracked_files(project)
    prefix = find_prefix(project, tracked.top)
    words = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in names))
    uses: dict[str, list[NameUse]] = {name: [] for name in names}
    for path in _list_python_files(project, tracked.paths, migration_files):
        for use in _find_in_file(project, path, display_path(prefix, path), words):
            if len(uses[use.name]) < MAX_USES:
                uses[use.name].append(use)
    return tuple(itertools.chain.from_iterable(uses[name] for name in names))


def _list_python_files(project: Path, paths: Iterable[str], migration_files: Sequence[str]) -> list[str]:
    """The Python files beside the migrations, those of the application first."""
    migrations = MigrationFiles(project, migration_files)
    files = [path for path in paths if path.endswith(".py") and not migrations.contains(path)]
    return sorted(files, key=lambda path: (find_source_kind(path) is None, path))


def _find_in_file(project: Path, path: str, shown_path: str, words: re.Pattern[str]) -> Iterator[NameUse]:
    data = read_file(project, path).data
    text = decode_text(data) if data is not None and not is_revision(data) else None
    if text is None or words.search(text) is None:
        return
    lines = text.splitlines()
    seen: set[tuple[str, int]] = set()
    for line, word in _list_words(text, words):
        if (word, line) not in seen and line <= len(lines):
            seen.add((word, line))
            yield NameUse(word, Location(shown_path, line), lines[line - 1].strip()[:_MAX_LINE])


def _list_words(text: str, words: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    """Line and name of each word outside of comments; up to a syntax error, if there is one."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type not in _SKIPPED:
                for match in words.finditer(token.string):
                    yield token.start[0] + token.string.count("\n", 0, match.start()), match[0]
    except (tokenize.TokenError, SyntaxError):
        return
