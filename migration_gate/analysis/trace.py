"""Which revision made a table, a column or a constraint the way it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from migration_gate.facts import Column, DdlCommand, Location, Replay, Step, Table


@dataclass(frozen=True, slots=True)
class Origin:
    """The revision that made something the way it is."""

    revision: str | None = None
    location: Location | None = None

    def __bool__(self) -> bool:
        return self.revision is not None


@dataclass(frozen=True, slots=True)
class OriginTrace:
    """Asks the replay's history who did what; build it once per check."""

    replay: Replay
    _steps: dict[int, Step] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._steps.update({step.number: step for step in self.replay.steps})

    def _origin(self, touch: DdlCommand | None) -> Origin:
        step = self._steps.get(touch.step) if touch else None
        if step is None:
            return Origin()
        revision = self.replay.history.find_revision(step.revision)
        return Origin(step.revision, revision.location if revision else None)

    def of_table(self, table: Table) -> Origin:
        """The revision that created the table."""
        return self._origin(next((t for t in self.replay.ddl_commands if t.oid == table.oid), None))

    def of_column(self, table: Table, column: Column) -> Origin:
        """The revision since which the column has had its type, nullability and default."""
        since: DdlCommand | None = None
        now = (column.type, column.nullable)
        for touch in self.replay.ddl_commands:
            if touch.oid != table.oid or not touch.columns:
                continue
            state = next((c for c in touch.columns if c.number == column.number), None)
            if state is None or (state.type, state.nullable) != now:
                since = None
            elif since is None:
                since = touch
        return self._origin(since)

    def of_constraint(self, table: Table, name: str) -> Origin:
        """The revision since which the table has had a constraint or index of that name, as it is now."""
        since: DdlCommand | None = None
        last: str | None = None
        for touch in self.replay.ddl_commands:
            if touch.oid != table.oid or not touch.columns:
                continue
            definition = dict((*touch.constraints, *touch.indexes)).get(name)
            if definition is None:
                since, last = None, None
            elif definition != last:
                since, last = touch, definition
        return self._origin(since)

    def of_named(self, identity: str) -> Origin:
        """The last revision that touched an object, by its qualified identity (enums, sequences, views)."""
        return self._origin(
            next((t for t in reversed(self.replay.ddl_commands) if t.identity == identity), None)
        )
