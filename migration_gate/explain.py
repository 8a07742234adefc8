"""Describes a check: its docstring, its kinds, its bad example, and the report on that example."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

from migration_gate.check import Check, check_kinds, check_name
from migration_gate.errors import Misconfigured
from migration_gate.wording import suggest_name

CHECKS = Path(__file__).parent / "checks"
JUDGE_NAMES = frozenset({"unused-allow", "stale-baseline"})
"""of the judge's own checks, whose modules are elsewhere"""
EXAMPLES = CHECKS / "examples"
"""each check's bad example and the report on it, in the wheel as in a checkout"""
EXAMPLE_SUFFIXES = frozenset({".py", ".sql", ".sh", ".yml"})
MAX_EXAMPLE_LINES = 60
WIDTH = 80
"""columns of a line"""


def known_checks() -> tuple[Check, ...]:
    """Every check, in report order, with the judge's own."""
    # Neither is needed to print help, or to read a configuration that names no check.
    from migration_gate import checks  # noqa: PLC0415
    from migration_gate.verdict import judge  # noqa: PLC0415

    return (*checks.ALL, *judge.JUDGE_CHECKS)


class KnownKinds(Mapping[str, tuple[str, ...]]):
    """Each check's name and its kinds; empty for a check that does not list kinds.

    Checks take long to load: whether there is one of a name is known without.
    """

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> tuple[str, ...]:
        return self._all[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @cached_property
    def names(self) -> frozenset[str]:
        """Each check's name."""
        files = (file.stem for file in CHECKS.glob("[!_]*.py"))
        return JUDGE_NAMES | {stem.replace("_", "-") for stem in files}

    @cached_property
    def _all(self) -> dict[str, tuple[str, ...]]:
        return {check_name(check): check_kinds(check) for check in known_checks()}


def known_kinds() -> KnownKinds:
    """Each check's name and its kinds."""
    return KnownKinds()


def first_sentence(check: Check) -> str:
    """The docstring's first paragraph, on one line."""
    return (check.__doc__ or "").strip().partition("\n\n")[0].replace("\n", " ")


def describe_all_checks(checks: Iterable[Check] | None = None) -> str:
    """The checks (all known ones unless given), one a line: severity, name, what was seen."""
    listed_checks = known_checks() if checks is None else tuple(checks)
    name_width = max((len(check_name(check)) for check in listed_checks), default=0)
    lines: list[str] = []
    for check in listed_checks:
        start = f"{check.SEVERITY.value:<8} {check_name(check):<{name_width}}  "
        indent = " " * len(start)
        lines += textwrap.wrap(start + first_sentence(check), WIDTH, subsequent_indent=indent) or [start]
    return "\n".join([*lines, "", "`migration-gate explain CHECK` says more of one."])


def describe_check(name: str) -> str:
    """Everything about one check, named `check` or `check/kind`; raises Misconfigured if there is none."""
    base_name = name.partition("/")[0].lower().replace("_", "-")
    check = _find_check(base_name, name)
    parts = [f"{base_name} ({check.SEVERITY.value})", textwrap.dedent(check.__doc__ or "").strip()]
    if kinds := check_kinds(check):
        named_kinds = ", ".join(f"{base_name}/{kind}" for kind in kinds)
        parts.append(f"Kinds, for `checks:` and `allow:`: {named_kinds}.")
    for title, text in _example_texts(EXAMPLES / base_name):
        parts.append(f"{title}\n\n{textwrap.indent(text, '    ')}")
    return "\n\n".join(parts)


def _find_check(base_name: str, name_as_given: str) -> Check:
    checks = {check_name(check): check for check in known_checks()}
    if base_name not in checks:
        advice = suggest_name(name_as_given, list(checks))
        raise Misconfigured(f"There is no check `{name_as_given}`.", where="explain", advice=advice)
    return checks[base_name]


def _example_texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Title and text of each file of the bad example, then of its report."""
    bad_example = folder / "bad"
    for file in sorted(bad_example.rglob("*")):
        if file.suffix in EXAMPLE_SUFFIXES:
            yield f"Bad: {file.relative_to(bad_example)}", _first_lines(file)
    for file in sorted(folder.glob("report*.txt")):
        yield "The report of it:", _first_lines(file)


def _first_lines(file: Path) -> str:
    lines = file.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()
    if len(lines) > MAX_EXAMPLE_LINES:
        lines = [*lines[:MAX_EXAMPLE_LINES], "…"]
    return "\n".join(lines)
