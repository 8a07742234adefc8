"""Finds a file of the repository that has values for environment variables: `.env.example` and its like."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from dotenv.parser import parse_stream

from migration_gate.project.search import SKIPPED

FILE_NAME = re.compile(r"\.?env\..+|.+\.env(?:\..+)?")
OTHER_FORMATS = frozenset({
    ".py", ".js", ".cjs", ".mjs", ".jsx", ".ts", ".cts", ".mts", ".tsx", ".json", ".yml", ".yaml", ".toml",
    ".ini", ".md", ".rst", ".sql", ".sh", ".html", ".css", ".enc", ".gpg", ".age", ".vault", ".j2", ".tpl",
    ".tmpl", ".erb",
})  # fmt: skip
"""ends of names of what is no such file, or whose values are encrypted or filled in"""
OWN_FILES = frozenset({".env.local", ".env.development.local", ".env.test.local"})
"""what each developer has of their own, as `.env`: git ignores them"""
FIT = ("ci", "test", "example", "sample", "template", "dist", "dev", "local")
"""words in the names of such files, the fittest for a gate first"""
MOST_BYTES = 100_000


def find_env_file(root: Path, directory: Path, names: Collection[str]) -> Path | None:
    """The fittest file, in the project's folders or one below its top, that has a value for each name."""
    given = ((file, _list_given(file)) for file in _list_env_files(root, directory))
    return min((file for file, has in given if has and has.issuperset(names)), key=_rank, default=None)


def _list_env_files(root: Path, directory: Path) -> Iterator[Path]:
    for folder in dict.fromkeys([directory, root, *_list_folders(root)]):
        for file in _list_children(folder):
            is_named_so = FILE_NAME.fullmatch(file.name) and file.suffix not in OTHER_FORMATS
            if is_named_so and file.name not in OWN_FILES and file.is_file():
                yield file


def _list_folders(root: Path) -> list[Path]:
    return [path for path in _list_children(root) if path.is_dir() and path.name not in SKIPPED]


def _list_children(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _list_given(file: Path) -> set[str]:
    """The variables that have a value there; none if it cannot be read."""
    try:
        if file.stat().st_size > MOST_BYTES:
            return set()
        with file.open(encoding="utf-8") as stream:
            return {binding.key for binding in parse_stream(stream) if binding.key and binding.value}
    except (OSError, UnicodeDecodeError):
        return set()


def _rank(file: Path) -> tuple[int, int, str]:
    words = re.split(r"[._-]", file.name.lower())
    fit = next((place for place, word in enumerate(FIT) if word in words), len(FIT))
    return fit, len(file.parts), str(file)
