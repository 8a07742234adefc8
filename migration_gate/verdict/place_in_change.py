"""Shows a finding at a line that the change has, where one of its lines is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from migration_gate.check import Finding
from migration_gate.facts import Location, Replay


def move_into_change(finding: Finding, replay: Replay) -> Finding:
    """The finding at the first of its locations that the change has; as it is, if it has none.

    GitHub shows what is said of a line only to those who read the diff in which that line is.
    """
    locations = sorted(_list_locations(finding, replay), key=_is_whole_file)
    for location in locations:
        line = replay.find_changed_line(location)
        if line == location.line and location == finding.location:
            return finding
        if line is not None:
            return finding.move_to(Location(location.file, line))
    return finding


def _list_locations(finding: Finding, replay: Replay) -> Iterator[Location]:
    """The finding's own, and last that of the revision which introduced it."""
    revision = replay.history.find_revision(finding.revision)
    others = (revision.location,) if revision is not None else ()
    for location in (*finding.locations, *others):
        yield _extend_to_call(location, replay)


def _is_whole_file(location: Location) -> bool:
    """Whether no line is known: any line of the file that the change has is as good as another."""
    return location.line is None


def _extend_to_call(location: Location, replay: Replay) -> Location:
    """The location with the lines of the longest call that begins there, in the text of a revision."""
    if location.last_line is not None or location.line is None:
        return location
    ends = (call.end_line for call in replay.history.find_calls(location.file) if call.line == location.line)
    return replace(location, last_line=max(ends, default=None))
