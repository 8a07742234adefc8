"""What the same history makes differently on two servers, such as two majors of PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from migration_gate.drift.changed_objects import find_changed_origin, find_changes, noun_of, texts_of
from migration_gate.facts import Facts, Replay, ServerDifference, Snapshot, View


def compare_servers(facts: Facts, others: Sequence[Facts]) -> Facts:
    """The facts, with what differs from those of the same history on other servers."""
    differences = (
        difference for other in others for difference in find_server_differences(facts.replay, other.replay)
    )
    return replace(facts, replay=replace(facts.replay, server_differences=tuple(differences)))


def find_server_differences(replay: Replay, other: Replay) -> Iterator[ServerDifference]:
    """Every object that the two servers have differently; none where a history did not come to its end.

    What only the servers spell differently is left out: definitions of views and rules, versions of
    extensions, privileges, and the constraints that PostgreSQL 18 makes of NOT NULL.
    """
    if not (replay.is_complete and other.is_complete):
        return
    database, other_database = _make_comparable(replay.catalog), _make_comparable(other.catalog)
    for changed in find_changes(database, other_database):
        origin = find_changed_origin(replay, changed)
        if origin.location is None:
            reversed_change = replace(changed, database=changed.other, other=changed.database)
            origin = find_changed_origin(other, reversed_change)
        text, other_text = texts_of(changed, database, other_database)
        yield ServerDifference(
            object=str(changed.item),
            noun=noun_of(changed.item),
            text=text,
            other_text=other_text,
            server=replay.postgres_version,
            other_server=other.postgres_version,
            revision=origin.revision,
            location=origin.location,
        )


def _list_columns(view: View) -> str:
    columns = zip(view.column_names, view.column_types, strict=False)
    return ", ".join(f"{name} {kind}" for name, kind in columns)


def _make_comparable(snapshot: Snapshot) -> Snapshot:
    """The snapshot without what differs between majors whatever a history does."""
    return replace(
        snapshot,
        extensions=tuple(replace(extension, version="") for extension in snapshot.extensions),
        constraints=tuple(item for item in snapshot.constraints if item.kind != "not null"),
        views=tuple(replace(view, definition=_list_columns(view)) for view in snapshot.views),
        rules=tuple(replace(rule, definition="") for rule in snapshot.rules),
        grants=(),
    )
