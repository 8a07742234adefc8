"""The house rules that no linter knows: checks are listed, documented, exemplified, pure; files are short."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from migration_gate import checks, docs
from migration_gate.check import Check, Severity, check_name

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted(path for path in (ROOT / "checks").glob("*.py") if path.name != "__init__.py")
SOURCES = sorted(
    path
    for folder in ("checks", "migration_gate", "tests", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
    if not {"examples", ".venv", "golden"} & set(path.relative_to(ROOT).parts)
)
READINGS = sorted(path for path in (ROOT / "migration_gate" / "analysis").glob("*.py"))
"""modules that only read facts: checks may use them, and they are held to the same purity"""
NOUNS = {"facts", "check", "wording", "analysis"}
HARMLESS = {
    "__future__",
    "collections",
    "dataclasses",
    "difflib",
    "enum",
    "fnmatch",
    "itertools",
    "operator",
    "posixpath",
    "re",
    "shlex",
    "string",
    "textwrap",
    "typing",
}
"""standard library that touches neither disk nor clock, network or database"""
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
_: tuple[Check, ...] = checks.ALL  # mypy holds every module to the protocol


def imported(path: Path) -> Iterator[str]:
    """Every module that the file imports, `migration_gate.x` as such."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "migration_gate":
            yield from (f"migration_gate.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def impure(path: Path) -> list[str]:
    """The imports that could touch the world."""
    allowed = {f"migration_gate.{module}" for module in NOUNS}
    return [
        module
        for module in imported(path)
        if ".".join(module.split(".")[:2]) not in allowed and module.partition(".")[0] not in HARMLESS
    ]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_check_is_listed_once() -> None:
    listed = [check.__name__ for check in checks.ALL]
    assert sorted(listed) == [f"migration_gate.checks.{path.stem}" for path in MODULES]


@pytest.mark.parametrize("check", checks.ALL, ids=check_name)
def test_every_check_says_what_was_seen_why_it_hurts_and_what_to_do(check: Check) -> None:
    text = check.__doc__ or ""
    first, blank, *rest = text.split("\n")
    assert first.endswith("."), "what was seen is one sentence on one line"
    assert blank == ""
    paragraphs = "\n".join(rest).strip().split("\n\n")
    assert len(paragraphs) == 2, "why it hurts, and then what to do"
    assert paragraphs[-1].startswith("Instead, ")
    assert not paragraphs[0].startswith("Instead")
    assert isinstance(check.SEVERITY, Severity)


@pytest.mark.parametrize("check", checks.ALL, ids=check_name)
def test_every_check_is_named_after_the_vice(check: Check) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", check_name(check))
    assert not re.match(r"(no|ban|require|must|check|avoid|missing-no)-", check_name(check))


@pytest.mark.parametrize("check", checks.ALL, ids=check_name)
def test_every_check_has_a_bad_and_a_good_example(check: Check) -> None:
    folder = ROOT / "checks" / "examples" / check_name(check)
    if not folder.parent.is_dir():
        pytest.skip("checks/examples DOES NOT EXIST YET: no check is exemplified")
    assert (folder / "bad").is_dir(), f"{relative(folder)}/bad"
    assert (folder / "good").is_dir(), f"{relative(folder)}/good"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_check_can_touch_nothing(path: Path) -> None:
    assert impure(path) == []


@pytest.mark.parametrize("path", READINGS, ids=relative)
def test_what_checks_lean_on_can_touch_nothing_either(path: Path) -> None:
    assert impure(path) == []


def test_only_the_front_doors_know_the_checks() -> None:
    doors = {"entrypoint.py", "docs.py", "cli.py", "explain.py"}
    inside = [p for p in SOURCES if "migration_gate" in p.relative_to(ROOT).parts[:1] and p.name not in doors]
    assert [
        relative(p) for p in inside if any(m.startswith("migration_gate.checks") for m in imported(p))
    ] == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [relative(path) for path in SOURCES if path.stem in FORBIDDEN_NAMES] == []


def test_every_module_says_what_it_is() -> None:
    bare = [
        relative(path)
        for path in SOURCES
        if "tests" not in path.parts and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert bare == []


def test_the_generated_pages_are_fresh() -> None:
    stale = [
        relative(file) for file, text in docs.pages(ROOT).items() if file.read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run `make docs`"
