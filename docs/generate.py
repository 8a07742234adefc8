"""Write the generated pages again: `make docs`. With --check, only say whether they are up to date.

`checks/README.md` has every check's docstring, `docs/migration-gate.schema.json` the configuration's schema,
`docs/configuration.md` every key of it.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import checks
from migration_gate import inputs
from migration_gate.inputs import page as configuration

ROOT = Path(__file__).resolve().parent.parent
INTRODUCTION = """\
# The checks

Made by `make docs` from the checks themselves; `migration-gate explain NAME` shows the same. Each can be set
to `error`, `warning` or `off` under `checks:` in the configuration, and one finding can be allowed, with a
reason.
"""


def name_of(check: object) -> str:
    """The check's name, as people say it: `nullable-owner`."""
    return str(getattr(check, "__name__", "")).rpartition(".")[2].replace("_", "-")


def page() -> Iterator[str]:
    """`checks/README.md`, piece by piece: a table, then each check in report order."""
    yield INTRODUCTION
    rows = [
        (name_of(check), check.SEVERITY.value, (check.__doc__ or "").splitlines()[0]) for check in checks.ALL
    ]
    lines = [f"| [{name}](#{name}) | {severity} | {first} |" for name, severity, first in rows]
    yield "\n".join(["| check | severity | what was seen |", "| --- | --- | --- |", *lines]) + "\n"
    for check in checks.ALL:
        yield f"## {name_of(check)}\n\n{inspect.cleandoc(check.__doc__ or '')}\n"


def pages() -> dict[Path, str]:
    """Every generated file, and what it should hold."""
    return {
        ROOT / "checks" / "README.md": "\n".join(page()),
        ROOT / "docs" / "configuration.md": configuration.page(),
        ROOT / "docs" / "migration-gate.schema.json": json.dumps(inputs.schema(), indent=2) + "\n",
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
