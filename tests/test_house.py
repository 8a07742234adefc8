"""The rules of the house that no linter knows: the directions of imports, and what comes with a check.

`make lint` runs these too. Add no list of module names here: a rule goes by folder.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from docs.generate import ROOT, stale_pages
from migration_gate import checks
from migration_gate.check import Check, Severity, Subject, check_name
from tests.support.imports import folder_of, house_modules, import_circles, imported_names, imports_inside

PURE_NOUNS = {"facts", "errors", "check", "wording", "sql", "python_parser"}
"""frozen values and functions of text, which everything may use"""
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "wording": set(),
    "python_parser": set(),
    "sql": {"wording"},
    "facts": {"sql"},
    "check": {"facts"},
    "edits": PURE_NOUNS,
    "progress": {"facts"},
    "git": {"errors", "config"},
    "process": {"errors"},
    "analysis": PURE_NOUNS,
    "checks": PURE_NOUNS | {"analysis"},
    "drift": PURE_NOUNS | {"analysis"},
    "autofix": PURE_NOUNS | {"analysis", "drift"},
    "config": PURE_NOUNS,
    "explain": PURE_NOUNS | {"checks", "config", "verdict"},
    "verdict": PURE_NOUNS | {"config", "analysis", "edits"},
    "report": PURE_NOUNS | {"config", "verdict", "analysis", "explain", "git"},
    "sandbox": PURE_NOUNS | {"config"},
    "catalog": PURE_NOUNS | {"config"},
    "scan": PURE_NOUNS | {"config", "git"},
    "ci": PURE_NOUNS | {"config", "git"},
    "project": PURE_NOUNS | {"config", "sandbox"},
    "postgres": PURE_NOUNS | {"config", "process", "sandbox"},
    "install": PURE_NOUNS | {"config", "project", "sandbox", "progress"},
    "worker": set(),
}
"""folders (and modules beside them) and what they may import; those that are not named may import all"""
FRONTS = {
    "corrections",
    "cli",
    "action",
    "monorepo",
    "static",
    "doctor",
    "entrypoint",
}
"""what people start; only another front imports one"""
PURE_FOLDERS = ("facts", "sql", "analysis", "checks", "drift")
HARMLESS_LIBRARIES = {
    "__future__",
    "ast",
    "bisect",
    "builtins",
    "collections",
    "dataclasses",
    "decimal",
    "datetime",
    "difflib",
    "enum",
    "fnmatch",
    "functools",
    "graphlib",
    "hashlib",
    "itertools",
    "operator",
    "posixpath",
    "re",
    "shlex",
    "string",
    "textwrap",
    "typing",
    "warnings",
    "lazy_loader",
}
"""standard library that touches neither disk nor clock, network or database"""
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
REPEATED_FILE_NAMES = {"__init__.py", "__main__.py"}

_: tuple[Check, ...] = checks.ALL  # mypy holds every module to the protocol


def test_every_check_is_listed_once() -> None:
    listed = [check.__name__ for check in checks.ALL]
    written = [module for module in house_modules() if module.startswith("migration_gate.checks.")]
    assert sorted(listed) == sorted(written), "list each check in checks/__init__.py: its import, and ALL"


@pytest.mark.parametrize("check", checks.ALL, ids=check_name)
def test_every_check_says_what_was_seen_why_it_hurts_and_what_to_do(check: Check) -> None:
    first, blank, *rest = (check.__doc__ or "").split("\n")
    assert first.endswith("."), "what was seen is one sentence on one line"
    assert blank == ""
    paragraphs = "\n".join(rest).strip().split("\n\n")
    assert len(paragraphs) == 2, "why it hurts, and then what to do"
    assert paragraphs[-1].startswith("Instead, ")
    assert not paragraphs[0].startswith("Instead")
    assert isinstance(check.SEVERITY, Severity)
    assert isinstance(check.SUBJECT, Subject)


@pytest.mark.parametrize("check", checks.ALL, ids=check_name)
def test_every_check_is_named_after_the_vice(check: Check) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", check_name(check))
    assert not re.match(r"(no|ban|require|must|check|avoid|missing-no)-", check_name(check))


@pytest.mark.parametrize("check", checks.ALL, ids=check_name)
def test_every_check_has_a_bad_example_and_its_report(check: Check) -> None:
    folder = ROOT / "checks" / "examples" / check_name(check)
    assert (folder / "bad").is_dir(), (
        f"add {folder.relative_to(ROOT)}/bad: the smallest project with the finding"
    )
    assert (folder / "report.txt").is_file(), "run `make update`: it writes the report of the bad example"


def test_folders_import_in_one_direction() -> None:
    wrong = [
        str(item)
        for item in imports_inside()
        if (allowed := MAY_IMPORT.get(folder_of(item.importer))) is not None
        and folder_of(item.imported) not in {*allowed, folder_of(item.importer), "lazy_dataclass"}
    ]
    assert wrong == []


def test_facts_are_imported_from_their_folder_and_not_from_its_files() -> None:
    wrong = [
        str(item)
        for item in imports_inside()
        if item.imported.startswith("migration_gate.facts.") and folder_of(item.importer) != "facts"
    ]
    assert wrong == []


def test_every_folder_that_is_named_here_exists() -> None:
    folders = {folder_of(module) for module in house_modules()}
    assert {*MAY_IMPORT, *FRONTS, *PURE_FOLDERS} - folders == set()


def test_only_fronts_import_fronts() -> None:
    fronts = {*FRONTS, "__main__"}
    wrong = [
        str(item)
        for item in imports_inside()
        if folder_of(item.imported) in FRONTS and folder_of(item.importer) not in fronts
    ]
    assert wrong == []


def test_the_worker_stands_alone() -> None:
    used = [
        f"{module} imports {name}"
        for module, file in house_modules().items()
        if folder_of(module) == "worker"
        for name in imported_names(file, module)
        if name.startswith("migration_gate.") and not name.startswith("migration_gate.worker")
    ]
    assert used == []


def test_no_file_is_in_a_circle_of_imports() -> None:
    assert import_circles() == []


@pytest.mark.parametrize("folder", PURE_FOLDERS)
def test_a_pure_folder_touches_no_disk_clock_network_or_database(folder: str) -> None:
    wrong = [
        f"{module} imports {name}"
        for module, file in house_modules().items()
        if folder_of(module) == folder
        for name in imported_names(file, module)
        if name.partition(".")[0] not in {"migration_gate", *HARMLESS_LIBRARIES}
    ]
    assert wrong == []


def test_no_two_files_have_the_same_name() -> None:
    counts = Counter(file.name for file in house_modules().values())
    assert [name for name, number in counts.items() if number > 1 and name not in REPEATED_FILE_NAMES] == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [module for module, file in house_modules().items() if file.stem in EMPTY_NAMES] == []


def test_the_map_has_one_line_for_each_folder() -> None:
    package = ROOT / "migration_gate" / "__init__.py"
    text = ast.get_docstring(ast.parse(package.read_text(encoding="utf-8"))) or ""
    folders = {folder.parent.name for folder in package.parent.glob("*/__init__.py")}
    assert [name for name in sorted(folders) if not re.search(rf"^ +{name}/ ", text, re.MULTILINE)] == []
    assert len(text.splitlines()) <= 30


def read_map(package: Path) -> str:
    """The text of a folder's `__init__`, or of its stub where that names what the folder has."""
    stub = package.with_suffix(".pyi")
    return (stub if stub.exists() else package).read_text(encoding="utf-8")


def test_the_map_of_a_folder_names_each_of_its_modules() -> None:
    unnamed = {
        f"{package.parent.name}/{module.stem}"
        for package in (ROOT / "migration_gate").rglob("*/__init__.py")
        for module in package.parent.glob("*.py")
        if not re.search(rf"\b{module.stem}\b", read_map(package))
    }
    assert {name for name in unnamed if not name.endswith(("/__init__", "/__main__"))} == set()


def test_the_generated_pages_are_up_to_date() -> None:
    assert [str(file.relative_to(ROOT)) for file in stale_pages()] == [], "run `make update`"


def test_what_stands_at_the_top_is_there_once() -> None:
    package = ROOT / "migration_gate"
    assert (package / "entrypoint.py").resolve() == ROOT / "entrypoint.py"
    assert (package / "checks").resolve() == ROOT / "checks"
