"""Write the generated pages again: `make docs`. With --check, only say whether they are up to date.

The checks' page and the report's schema (`migration_gate.docs`), and beside them the configuration:
`docs/configuration.md` has every key, `docs/migration-gate.schema.json` is its schema. And the action:
action.yml, and the tables of its inputs and outputs where a page marks a place for them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from migration_gate import docs
from migration_gate.action import manifest as action
from migration_gate.config import loading
from migration_gate.config import reference_page as configuration

ROOT = Path(__file__).resolve().parent.parent
MARKED = (ROOT / "README.md", ROOT / "docs" / "action.md")
"""pages that show the checks, or the action's inputs or outputs"""


def pages() -> dict[Path, str]:
    """Every generated file, and what it should hold."""
    return docs.pages(ROOT) | {
        ROOT / "docs" / "configuration.md": configuration.page(),
        ROOT / "docs" / "migration-gate.schema.json": json.dumps(loading.schema(), indent=2) + "\n",
        ROOT / "action.yml": action.manifest(),
        **{file: docs.filled(action.filled(file.read_text(encoding="utf-8"))) for file in MARKED},
    }


def stale(file: Path, text: str) -> bool:
    """Whether the file is missing, or says something else."""
    return not file.exists() or file.read_text(encoding="utf-8") != text


def main() -> int:
    """Write what is stale; with --check, name it and end with 1."""
    old = {file: text for file, text in pages().items() if stale(file, text)}
    checking = "--check" in sys.argv[1:]
    for file, text in old.items():
        sys.stdout.write(f"{'stale' if checking else 'written'}: {file.relative_to(ROOT)}\n")
        if not checking:
            file.write_text(text, encoding="utf-8")
    if old and checking:
        sys.stdout.write("Run `make docs`, and commit what it wrote.\n")
    return 1 if old and checking else 0


if __name__ == "__main__":
    sys.exit(main())
