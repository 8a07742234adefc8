"""The pages that are made from the code: `python -m migration_gate.docs` writes them, `--check` compares.

`checks/README.md` holds every check's docstring and its bad example; `docs/report.schema.json` is the JSON
schema of `--format json`.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from migration_gate import checks
from migration_gate.check import Check, check_kinds, check_name
from migration_gate.verdict.judge import JUDGE_CHECKS

INTRODUCTION = """\
# The checks

Made by `make docs` from the checks themselves; `migration-gate explain NAME` shows the same. Each can be set
to `error`, `warning` or `off` under `checks:` in the configuration, and a single finding can be allowed, with
a reason: by an entry under `allow:`, or by a comment in a revision or model file,
`# migration-gate: allow NAME -- reason`.
"""


MARKS = re.compile(r"(<!-- checks -->\n).*?(<!-- /checks -->)", re.DOTALL)


def page(examples: Path | None = None) -> str:
    """`checks/README.md`: a table, then each check in report order with the report on its bad example."""
    every: tuple[Check, ...] = (*checks.ALL, *JUDGE_CHECKS)
    parts = [INTRODUCTION, _table(every), *(part for check in every for part in _section(check, examples))]
    return "\n".join(parts)


def schema() -> str:
    """The JSON schema of a JSON report."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - only who makes the pages waits for it

    from migration_gate.report.json import JsonReport  # noqa: PLC0415

    found = TypeAdapter(JsonReport).json_schema(mode="serialization")
    found = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A report of Migration Gate",
    } | found
    return json.dumps(found, indent=2) + "\n"


def pages(root: Path) -> dict[Path, str]:
    """Every page that is made, and what it should hold."""
    return {
        root / "checks" / "README.md": page(root / "checks" / "examples"),
        root / "docs" / "report.schema.json": schema(),
    }


def main(arguments: list[str], root: Path) -> int:
    """Write what is stale; with --check, name it and return 1."""
    checking, status = "--check" in arguments, 0
    for file, text in pages(root).items():
        if file.exists() and file.read_text(encoding="utf-8") == text:
            continue
        sys.stdout.write(f"{'stale, run `make docs`' if checking else 'written'}: {file.relative_to(root)}\n")
        if checking:
            status = 1
        else:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
    return status


def filled(text: str) -> str:
    """A page with the table of checks between `<!-- checks -->` and `<!-- /checks -->`."""
    table = _table((*checks.ALL, *JUDGE_CHECKS), "checks/README.md")
    return MARKS.sub(lambda found: f"{found[1]}{table}{found[2]}", text)


def _table(every: tuple[Check, ...], where: str = "") -> str:
    rows = ["| check | severity | what was seen |", "| --- | --- | --- |"]
    for check in every:
        first = (check.__doc__ or "").partition("\n")[0]
        rows.append(f"| [{check_name(check)}]({where}#{check_name(check)}) | {check.SEVERITY} | {first} |")
    return "\n".join(rows) + "\n"


def _section(check: Check, examples: Path | None) -> Iterator[str]:
    yield f"## {check_name(check)}\n\n{inspect.cleandoc(check.__doc__ or '')}\n"
    if several := check_kinds(check):
        yield f"Kinds: {', '.join(f'`{check_name(check)}/{kind}`' for kind in several)}.\n"
    golden = examples / check_name(check) / "report.txt" if examples else None
    if golden and golden.exists():
        yield f"Reported as:\n\n```\n{golden.read_text(encoding='utf-8').strip()}\n```\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path(__file__).resolve().parent.parent))
