"""Makes the generated pages again: `make docs`. With `--check` it only says which are out of date.

- `checks/README.md`, and the table of checks in `README.md`: from the checks' docstrings and example reports
- `docs/configuration.md` and `docs/migration-gate.schema.json`: from the configuration's schema
- `docs/report.schema.json`: from the dataclasses of the JSON report
- the table of server packages in `docs/postgres.md`: from their list
- `action.yml`, and the tables of its inputs and outputs where a page marks a place for them
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pydantic import TypeAdapter

from docs.checks_page import fill_checks_table, render_checks_page
from docs.postgres_page import fill_server_table
from migration_gate.action import manifest
from migration_gate.config import loading, reference_page
from migration_gate.report.json_document import JsonReport

ROOT = Path(__file__).resolve().parent.parent
PAGES_WITH_TABLES = (ROOT / "README.md", ROOT / "docs" / "action.md")
"""pages that show the checks, or the action's inputs or outputs, between marks"""


def render_pages() -> dict[Path, str]:
    """Every generated file, and what it should hold."""
    pages = {
        ROOT / "checks" / "README.md": render_checks_page(ROOT / "checks" / "examples"),
        ROOT / "docs" / "report.schema.json": render_report_schema(),
        ROOT / "docs" / "configuration.md": reference_page.render_page(),
        ROOT / "docs" / "migration-gate.schema.json": json.dumps(loading.config_schema(), indent=2) + "\n",
        ROOT / "action.yml": manifest.render_manifest(),
    }
    servers = ROOT / "docs" / "postgres.md"
    pages[servers] = fill_server_table(servers.read_text(encoding="utf-8"))
    for file in PAGES_WITH_TABLES:
        pages[file] = fill_checks_table(manifest.fill_tables(file.read_text(encoding="utf-8")))
    return pages


def stale_pages() -> dict[Path, str]:
    """The generated files that are missing or say something else, and what they should hold."""
    return {
        file: text
        for file, text in render_pages().items()
        if not file.exists() or file.read_text(encoding="utf-8") != text
    }


def render_report_schema() -> str:
    """The JSON schema of a JSON report."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A report of Migration Gate",
    }
    schema = head | TypeAdapter(JsonReport).json_schema(mode="serialization")
    return json.dumps(schema, indent=2) + "\n"


def main(arguments: list[str]) -> int:
    """Write what is out of date; with `--check`, name it and return 1."""
    stale = stale_pages()
    if "--check" in arguments:
        for file in stale:
            print(f"out of date: {file.relative_to(ROOT)}")
        if stale:
            print("Run `make update`, and commit what it wrote.")
        return 1 if stale else 0
    for file, text in stale.items():
        file.write_text(text, encoding="utf-8")
        print(f"written: {file.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
