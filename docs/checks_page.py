"""`checks/README.md` and the README's table of checks, from the checks' docstrings and example reports."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from migration_gate.check import Check, check_kinds, check_name
from migration_gate.explain import known_checks

INTRODUCTION = """\
# The checks

Made by `make docs` from the checks themselves; `migration-gate explain NAME` shows the same. Each can be set
to `error`, `warning`, `note` or `off` under `checks:` in the configuration, and a single finding can be
allowed, with a reason: by an entry under `allow:`, or by a comment in a revision or model file,
`# migration-gate: allow NAME -- reason`.
"""
TABLE_MARKS = re.compile(r"(<!-- checks -->\n).*?(<!-- /checks -->)", re.DOTALL)


def render_checks_page(examples: Path) -> str:
    """A table, then each check in report order with the report on its bad example, read in `examples/`."""
    sections = [section for check in known_checks() for section in _render_section(check, examples)]
    return "\n".join([INTRODUCTION, _render_table(""), *sections])


def fill_checks_table(page: str) -> str:
    """The page with the table of checks between `<!-- checks -->` and `<!-- /checks -->`."""
    table = _render_table("checks/README.md")
    return TABLE_MARKS.sub(lambda marks: f"{marks[1]}{table}{marks[2]}", page)


def _render_table(link_target: str) -> str:
    rows = ["| check | severity | what was seen |", "| --- | --- | --- |"]
    for check in known_checks():
        name = check_name(check)
        summary = (check.__doc__ or "").partition("\n")[0]
        rows.append(f"| [{name}]({link_target}#{name}) | {check.SEVERITY} | {summary} |")
    return "\n".join(rows) + "\n"


def _render_section(check: Check, examples: Path) -> Iterator[str]:
    name = check_name(check)
    yield f"## {name}\n\n{inspect.cleandoc(check.__doc__ or '')}\n"
    if kinds := check_kinds(check):
        yield f"Kinds: {', '.join(f'`{name}/{kind}`' for kind in kinds)}.\n"
    report = examples / name / "report.txt"
    if report.exists():
        yield f"Reported as:\n\n```\n{report.read_text(encoding='utf-8').strip()}\n```\n"
