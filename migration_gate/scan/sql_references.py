"""Which revision reads a `.sql` file, and which of the project's functions revisions import."""

from __future__ import annotations

import ast
import contextlib
import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from migration_gate.scan.python_strings import parse, spellings

_READS_SQL = re.compile(rb"\.sql['\"]", re.IGNORECASE)
_IMPORT = re.compile(rb"^[ \t]*from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n#]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A file that a revision names, as a pattern, with the other words of its path."""

    revision: str
    pattern: str
    words: frozenset[str]
    """every other string of the revision: folders among them"""


class Readers:
    """What the revision files of the project in `root`, in a repository at `top`, read and import."""

    def __init__(self, root: Path, top: Path, revision_files: Sequence[str]) -> None:
        self.root = os.path.realpath(root)
        self.top = os.path.realpath(top)
        self.wanted: list[_Wanted] = []
        self.imported: set[tuple[str, str]] = set()
        for path in sorted(set(revision_files)):
            if path.endswith(".py"):
                try:
                    data = Path(path).read_bytes()
                except OSError:
                    continue
                self.imported.update(_imports(data))
                if _READS_SQL.search(data):
                    with contextlib.suppress(RecursionError):  # a sum of thousands of strings names no file
                        self.wanted += _wanted(os.path.realpath(path), data)

    def of(self, paths: Sequence[str]) -> dict[str, str]:
        """The revision that reads each of the tracked files `paths`; the nearest where several could."""
        best: dict[str, tuple[int, str]] = {}
        for wanted in self.wanted:
            fits = {path: _fit(wanted, PurePosixPath(self.root, path)) for path in paths}
            most = max(fits.values(), default=0)
            for path, score in fits.items():
                named = score and (score == most or "*" in wanted.pattern)
                if named and score > best.get(path, (0, ""))[0]:
                    best[path] = (score, self._shown(wanted.revision))
        return {path: revision for path, (_, revision) in best.items()}

    def _shown(self, revision: str) -> str:
        inside = os.path.relpath(revision, self.top)
        return revision if inside.startswith("..") else inside

    def import_from(self, file: str, names: Collection[str]) -> bool:
        """Whether a revision imports one of these names (functions, constants) from `file`."""
        module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        return any(
            name in names and (module == source or module.endswith("." + source))
            for source, name in self.imported
        )


def _imports(data: bytes) -> Iterator[tuple[str, str]]:
    for found in _IMPORT.finditer(data):
        source = found[1].decode("latin-1").lstrip(".")
        for name in re.sub(r"#.*", "", found[2].decode("latin-1")).strip("()").split(","):
            if source and (words := name.split()):
                yield source, words[0]


def _wanted(path: str, data: bytes) -> Iterator[_Wanted]:
    tree = parse(data)
    if tree is None:
        return
    texts = {text for node in ast.walk(tree) if (text := _text(node)) is not None}
    words = frozenset(part for text in texts if "\n" not in text for part in text.split("/") if part)
    for text in spellings(tree):
        if text.lower().endswith(".sql") and "\n" not in text and len(text) < 300:
            pattern = re.sub(r"\{[^{}]*__file__[^{}]*\}/", "", text)
            pattern = re.sub(r"\{[^{}]*__file__[^{}]*\}", PurePosixPath(path).stem, pattern)
            yield _Wanted(path, re.sub(r"\{[^{}]*\}", "*", pattern), words)
    if b"__file__" in data and ".sql" in texts:  # Path(__file__).with_suffix(".sql"), __file__.replace(...)
        yield _Wanted(path, f"{PurePosixPath(path).parent}/{PurePosixPath(path).stem}.sql", words)


def _text(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _fit(wanted: _Wanted, place: PurePosixPath) -> int:
    """How well the file fits what the revision names: 0 for not at all."""
    parts = [part for part in wanted.pattern.split("/") if part not in ("", ".", "..")]
    if not parts or not _fits_tail(parts, place.parts):
        return 0
    folder = PurePosixPath(wanted.revision).parent
    named = [part for part in place.parts[: -len(parts)] if part in wanted.words]
    above = os.path.commonpath([folder, place])
    near = place.is_relative_to(folder) or (bool(named) and named[-1] == place.parts[-len(parts) - 1])
    if "*" in parts[-1] and not parts[-1].strip("*").removesuffix(".sql") and len(parts) == 1 and not near:
        return 0
    return 1000 * len(parts) + 100 * near + 10 * len(named) + len(above.split("/"))


def _fits_tail(parts: Sequence[str], whole: Sequence[str]) -> bool:
    tail = whole[-len(parts) :]
    return len(tail) == len(parts) and all(
        fnmatchcase(have, want) for have, want in zip(tail, parts, strict=True)
    )
