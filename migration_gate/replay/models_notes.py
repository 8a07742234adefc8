"""Notes on the models: what env.py leaves out, and tables that were compared with themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migration_gate.facts import Difference, FilteredObject, Models, Unchecked
from migration_gate.wording import join_words

COMPARED_SETTINGS = {"type": "compare_type", "default": "compare_server_default"}
"""what an argument of `context.configure` keeps out of the comparison"""
SHOWN_NAMES = 10
"""tables that a sentence names"""


def describe_models(models: Models) -> Iterator[str]:
    """Notes on what was not compared, or was changed so that it could be."""
    for filtered in models.filtered_objects:
        if filtered.schema == "*":
            setting = COMPARED_SETTINGS.get(filtered.kind, "compare_server_default")
            yield f"env.py sets {setting}=False: {filtered.kind}s were not compared"
    if models.dismissed_objects:
        yield (
            "env.py's process_revision_directives takes out of a revision, so that it was not compared: "
            + join_words(_name_filtered(item) for item in models.dismissed_objects)
        )
    if models.disabled_triggers:
        noun = "event trigger" if len(models.disabled_triggers) == 1 else "event triggers"
        names = join_words(models.disabled_triggers)
        yield f"the {noun} {names} of the migrations did not act on the models' tables: disabled there"


def describe_called_equal(differences: Sequence[Difference]) -> Iterator[str]:
    """Notes on what differs, and is no finding because a function of env.py calls it equal."""
    for kind, setting in COMPARED_SETTINGS.items():
        called_equal = [item for item in differences if item.kind == kind]
        if not called_equal:
            continue
        shown = [
            f"`{item.object}` ({item.database} and {item.models})" for item in called_equal[:SHOWN_NAMES]
        ]
        rest = len(called_equal) - len(shown)
        more = f" and {rest} more" if rest else ""
        yield f"env.py's {setting} calls equal what differs: {', '.join(shown)}{more}"


def find_unproven_models(models: Models, version_tables: Sequence[str]) -> Iterator[Unchecked]:
    """Tables of the metadata that do not come from the models' code alone, and comparisons that failed."""
    reflected = [name for name in models.reflected_tables if name not in version_tables]
    lost = [name for name in models.lost_tables if name not in version_tables]
    yield from models.problems
    if reflected:
        yield Unchecked(
            "models",
            f"{_name_tables(reflected)} of target_metadata came from the database, by "
            "reflection (`reflect()`, `autoload_with`, automap): the replayed database was "
            "compared with itself",
        )
    if lost:
        yield Unchecked(
            "models",
            f"{_name_tables(lost)} stood in target_metadata only after the revisions had run: "
            "what a revision adds there is not compared",
        )


def _name_filtered(item: FilteredObject) -> str:
    """`column users.legacy`."""
    schema = "" if item.schema == "public" else f"{item.schema}."
    own_name = item.name or f"({', '.join(item.columns)})" * bool(item.columns)
    names = [item.table, own_name if own_name != item.table else None]
    return f"{item.kind.replace('_', ' ')} {schema}{'.'.join(filter(None, names))}"


def _name_tables(names: Sequence[str]) -> str:
    """The tables in words; of many, the first ones and how many more there are."""
    shown = [name.removeprefix("public.") for name in names[:SHOWN_NAMES]]
    noun = "table" if len(names) == 1 else "tables"
    if len(names) == len(shown):
        return f"{noun} {join_words(shown)}"
    return f"{noun} {', '.join(f'`{name}`' for name in shown)} and {len(names) - len(shown)} more"
