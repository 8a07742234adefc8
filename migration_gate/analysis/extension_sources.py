"""Where to get an extension that the server lacks: an image, a package, a revision that does without it."""

from __future__ import annotations

from migration_gate.analysis.extensions import (
    CONTRIB,
    DEBIAN_PACKAGES,
    IMAGE_WITH,
    OFFICIAL_IMAGE,
    PRELOADED,
)
from migration_gate.analysis.failure_dialects import find_major
from migration_gate.facts import Replay
from migration_gate.sql.identifiers import quote_identifier
from migration_gate.wording import code_block

DEFAULT_MAJOR = 17
"""the version of Postgres in a suggested image if that of the run is not known"""
IS_AVAILABLE = "SELECT count(*) FROM pg_available_extensions WHERE name = '{}'"
IS_LOADED = "SELECT position('{}' IN current_setting('shared_preload_libraries'))"


def describe_extension_source(extension: str, replay: Replay) -> str:
    """What to write where, with the version of Postgres that ran."""
    major = find_major(replay) or DEFAULT_MAJOR
    image = IMAGE_WITH.get(extension) or (OFFICIAL_IMAGE if extension in CONTRIB else None)
    if image is not None:
        return f"Name an image that has it:{code_block(f'postgres: {image.format(major=major)}')}"
    package = DEBIAN_PACKAGES.get(extension)
    if package is not None:
        package = package.format(major=major)
        install = f"FROM postgres:{major}\nRUN apt-get update && apt-get install --yes {package}"
        return (
            f"It comes with Debian's package `{package}`: install that where the gate starts a server of its "
            f"own, or build an image, and name it as `postgres:` in the configuration:{code_block(install)}"
        )
    if extension in PRELOADED:
        return make_only_where_loaded(extension)
    return (
        "Name an image or a server that has it, as `postgres:` in the configuration. If only production's "
        "server has it, have the revision make it, and call what it provides, only where it is:"
        f"{_show_condition(IS_AVAILABLE, extension)}"
    )


def make_only_where_loaded(extension: str) -> str:
    """For an extension that a server has to load when it starts."""
    return (
        f"{extension} works only on a server that loads it when it starts (`shared_preload_libraries`), as "
        "an ephemeral one does not. Have the revision make it, and call what it provides, only where it is:"
        f"{_show_condition(IS_LOADED, extension)}"
    )


def _show_condition(query: str, extension: str) -> str:
    condition = f'op.get_bind().exec_driver_sql("{query.format(extension)}").scalar()'
    create = f"CREATE EXTENSION IF NOT EXISTS {quote_identifier(extension)}".replace('"', '\\"')
    return code_block(f'if {condition}:\n    op.execute("{create}")')
