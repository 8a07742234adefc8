"""Which files old revisions depend on, as far as their text tells: modules that they import, files they name.

If one of these changes, the SQL of a revision may be another one, though its own text is the same.
"""

from __future__ import annotations

import ast
import os
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from migration_gate.analysis.revision_code import list_imported_paths
from migration_gate.python_parser import parse_module

REVISION_MARK = b"down_revision"
"""stands in every revision file"""
NAMING_MARK = b"naming_convention"
"""of a MetaData: it gives names to the constraints of revisions, which need not import it"""
ENVIRONMENT_MARK = b"run_migrations"
"""stands in every env.py"""
MODEL_MARKS = (b"__tablename__", b"mapped_column(", b"Column(", b"Table(")
UNREAD_SUFFIXES = frozenset(
    {".md", ".rst", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".css", ".js", ".ts", ".tsx", ".html", ".pyc"}
)
"""files that no check reads, and no replay but by their names"""
DYNAMIC_IMPORTS = (
    b"import_module", b"__import__", b"run_path", b"run_module", b"exec(", b"exec_module", b"sys.modules",
)  # fmt: skip
"""in code that may reach a module which no import of it names"""
MAX_MODULES = 3000
"""modules that are followed; a project whose revisions import more is taken for one that depends on all"""
_WORD = re.compile(rb"[\w.+-]+")
"""most names of files"""
_QUOTED_WORD = re.compile(rb"(?<=[\"'/])[\w.+-]+(?=[\"'/])")
_IMPORT = re.compile(rb"^[ \t]*(?:from|import)[ \t]+(\.*)([\w.]*)", re.MULTILINE)


def depends_on_changes(tree: Path, paths: Iterable[str], changed_paths: Iterable[str]) -> bool:
    """Whether a revision of a tree, or its env.py, depends on one of the changed files.

    Of the modules that env.py imports, those of models do not count: models are examined anyway.

    tree: a folder with the files `paths`, which are relative to it, as `changed_paths` are.
    """
    changed = frozenset(changed_paths)
    if not changed:
        return False
    sources = Sources(tree, [path for path in paths if path.endswith(".py")])
    if any(NAMING_MARK in sources.read(path) for path in changed if path.endswith(".py")):
        return True
    revisions, environments = _list_revisions(sources), _list_environments(sources)
    if _name_data(sources, (*revisions, *environments), changed):
        return True
    roots = (*environments, *_list_naming(sources))
    return _change_helpers(sources, roots, changed) or _reaches(sources, revisions, changed)


def list_essential_paths(tree: Path, paths: Iterable[str]) -> frozenset[str] | None:
    """The Python files of which a change may make `depends_on_changes` true; None if there are too many.

    More than these may be named: of the modules that env.py leads to, all without models.
    """
    sources = Sources(tree, [path for path in paths if path.endswith(".py")])
    revisions, environments = _list_revisions(sources), _list_environments(sources)
    naming = _list_naming(sources)
    helpers = follow_helpers(sources, [*environments, *naming])
    reached = _follow_imports(sources, revisions)
    if reached is None or len(helpers) > MAX_MODULES:
        return None
    plain_helpers = {path for path in helpers if not _has_models(sources.read(path))}
    return frozenset({*revisions, *environments, *naming, *plain_helpers, *reached})


def _follow_imports(sources: Sources, revisions: Iterable[str]) -> set[str] | None:
    """The files to which imports lead from revisions; None if there are too many."""
    reached: set[str] = set()
    waiting = [*revisions]
    while waiting and len(reached) <= MAX_MODULES:
        new = set(sources.list_imports(waiting.pop())) - reached
        reached |= new
        waiting += new
    return reached if len(reached) <= MAX_MODULES else None


def _change_helpers(sources: Sources, roots: Iterable[str], changed: frozenset[str]) -> bool:
    """Whether one of the changed files is a module that imports of a root lead to, and more than models."""
    helpers = follow_helpers(sources, roots)
    return any(has_more_than_models(sources.read(path)) for path in helpers & changed)


def follow_helpers(sources: Sources, roots: Iterable[str]) -> set[str]:
    """The modules to which imports lead from env.py, or from what names constraints.

    What is behind another module of models is left out.
    """
    reached: set[str] = set()
    waiting = [*roots]
    while waiting and len(reached) <= MAX_MODULES:
        for file in sources.list_imports(waiting.pop()):
            if file not in reached:
                reached.add(file)
                waiting += [] if _has_models(sources.read(file)) else [file]
    return reached


def use_data_files(tree: Path, paths: Iterable[str], files: Iterable[str]) -> bool:
    """Whether a revision of a tree, or its env.py, names one of these files, or the folder of one."""
    sources = Sources(tree, [path for path in paths if path.endswith(".py")])
    return _name_data(sources, (*_list_revisions(sources), *_list_environments(sources)), files)


def _list_revisions(sources: Sources) -> list[str]:
    return [path for path in sources.paths if REVISION_MARK in sources.read(path)]


def _list_environments(sources: Sources) -> list[str]:
    paths = (path for path in sources.paths if posixpath.basename(path) == "env.py")
    return [path for path in paths if ENVIRONMENT_MARK in sources.read(path)]


def _list_naming(sources: Sources) -> list[str]:
    """What names constraints; the names themselves may stand in a module that it imports."""
    return [path for path in sources.paths if NAMING_MARK in sources.read(path)]


def _name_data(sources: Sources, readers: Iterable[str], files: Iterable[str]) -> bool:
    """Whether the text of a reader names a data file, or its folder in a path: it may read all there."""
    data_files = [os.fsencode(path) for path in files if not path.endswith((".py", ".pyc"))]
    if not data_files:
        return False
    names = _FileNames({posixpath.basename(path) for path in data_files}, _WORD, rb"%s")
    folders = _FileNames(
        {posixpath.basename(posixpath.dirname(path)) for path in data_files} - {b""},
        _QUOTED_WORD,
        rb"(?<=[\"'/])%s(?=[\"'/])",
    )
    texts = map(sources.read, readers)
    return any(names.stand_in(text) or folders.stand_in(text) for text in texts)


class _FileNames:
    """Names that are looked for in many texts: as words, which takes the same time for any number of them."""

    def __init__(self, names: set[bytes], word: re.Pattern[bytes], form: bytes) -> None:
        """`word` finds each name that is a word, `form` is the pattern of the others."""
        self._word = word
        self._words = {name for name in names if _WORD.fullmatch(name)}
        others = [form % re.escape(name) for name in sorted(names - self._words)]
        self._others = re.compile(b"|".join(others)) if others else None

    def stand_in(self, text: bytes) -> bool:
        """Whether one of them stands in the text."""
        if not self._words.isdisjoint(self._word.findall(text)):
            return True
        return self._others is not None and self._others.search(text) is not None


def has_more_than_models(source: bytes) -> bool:
    """Whether a module may be more to env.py than its models, or a list of imports: settings, helpers."""
    if _has_models(source):
        return False
    try:
        body = parse_module(source).body
    except (SyntaxError, ValueError, RecursionError):
        return True
    return not all(isinstance(node, ast.Import | ast.ImportFrom) or _is_plain_value(node) for node in body)


def _has_models(source: bytes) -> bool:
    return any(mark in source for mark in MODEL_MARKS)


def _is_plain_value(node: ast.stmt) -> bool:
    """Whether it is a docstring, or `__all__ = [...]`."""
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)] == ["__all__"]
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def find_shared_imports(tree: Path, paths: Iterable[str], revisions: Iterable[str]) -> frozenset[str] | None:
    """The modules of the tree that these revisions import (`shop.models`), if env.py seems to import them.

    None if it does not, or if the name of an import is made while it runs: such a revision may add to the
    models, or change them.
    """
    sources = Sources(tree, [path for path in paths if path.endswith(".py")])
    if any(mark in sources.read(path) for path in revisions for mark in DYNAMIC_IMPORTS):
        return None
    imported: dict[str, list[str]] = {}
    for path in revisions:
        imported |= sources.find_modules(path)
    if not _lead_to(sources, _list_environments(sources), imported.values()):
        return None
    return frozenset(name.replace("/", ".") for name in imported)


def _lead_to(sources: Sources, environments: Iterable[str], modules: Iterable[Iterable[str]]) -> bool:
    """Whether imports of an env.py lead to each of these modules, by the files that it may be."""
    missing = [set(files) for files in modules]
    reached: set[str] = set()
    waiting = [*environments]
    while missing and waiting and len(reached) <= MAX_MODULES:
        found = [file for file in sources.list_imports(waiting.pop(0)) if file not in reached]
        reached.update(found)
        waiting += found
        missing = [files for files in missing if files.isdisjoint(found)]
    return not missing


class Sources:
    """The Python files of a tree."""

    def __init__(self, tree: Path, paths: list[str]) -> None:
        self._tree = tree
        self.paths = paths
        self._imports: dict[str, list[str]] = {}
        self._modules: Mapping[str, list[str]] = _index_modules(paths)
        self._words = {part.encode() for path in paths for part in path.removesuffix(".py").split("/")}

    def read(self, path: str) -> bytes:
        """The content; empty if there is none."""
        try:
            return (self._tree / path).read_bytes()
        except OSError:
            return b""

    def list_imports(self, path: str) -> list[str]:
        """The files that a file imports, packages of its modules among them."""
        if path not in self._imports:
            self._imports[path] = self._find_imports(path)
        return self._imports[path]

    def find_modules(self, path: str) -> dict[str, list[str]]:
        """The modules that a file imports (`shop/models`), and the files that each may be."""
        found = {name: self._find_files(name) for name in self._list_names(path)}
        return {name: files for name, files in found.items() if files}

    def _find_imports(self, path: str) -> list[str]:
        """The files of the modules that a file imports, and of the packages around them."""
        names = [outer for name in self._list_names(path) for outer in _list_packages(name)]
        return [file for name in names for file in self._find_files(name)]

    def _list_names(self, path: str) -> frozenset[str]:
        data = self.read(path)
        if not any(dots or name.split(b".")[0] in self._words for dots, name in _IMPORT.findall(data)):
            return frozenset()
        return list_imported_paths(data.decode("utf-8", "replace"), path)

    def _find_files(self, name: str) -> list[str]:
        candidates = self._modules.get(posixpath.basename(name), [])
        return [file for file in candidates if f"/{_name_module(file)}".endswith(f"/{name}")]


def _list_packages(name: str) -> Iterator[str]:
    """A module, and the packages around it."""
    while name:
        yield name
        name = posixpath.dirname(name)


def _name_module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__")


def _index_modules(paths: Iterable[str]) -> Mapping[str, list[str]]:
    modules: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        modules[posixpath.basename(_name_module(path))].append(path)
    return modules


def _reaches(sources: Sources, revisions: list[str], changed: frozenset[str]) -> bool:
    """Whether imports lead from a revision to a changed file."""
    visited = {*revisions}
    waiting = [*revisions]
    while waiting:
        path = waiting.pop()
        for file in sources.list_imports(path):
            if file in changed:
                return True
            if file not in visited:
                visited.add(file)
                waiting.append(file)
        if len(visited) - len(revisions) > MAX_MODULES:
            return True
    return False
