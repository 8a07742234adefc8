"""The coverage proof of a run: which revisions ran, which tables were compared, and what was left out.

A run that compared nothing, or left out revisions of the history, does not pass: `find_gaps` names why.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property

from migration_gate.analysis.left_out_tables import LeftOutTables
from migration_gate.analysis.revision_graph import Graph, build_graph, find_ancestors
from migration_gate.facts import Coverage, FilteredObject, LeftOut, Replay, Unchecked, display_name
from migration_gate.lazy_dataclass import dataclass
from migration_gate.wording import count_noun, join_words

SHOWN_REVISIONS = 5
NEWEST = {("heads",), ("head",)}
"""targets that leave nothing out"""


def measure_coverage(replay: Replay) -> Coverage:
    """What the run looked at. Of a history that failed, the revisions that ran to their end."""
    tables, revisions = TableCoverage(replay), RevisionCoverage(replay)
    return Coverage(
        compared_tables=len(tables.compared),
        mapped_tables=len(replay.models.tables),
        run_revisions=len(revisions.run & revisions.known),
        revisions=len(revisions.known),
        statements=sum(step.statement_count for step in replay.steps),
        left_out=(*revisions.list_left_out(), *tables.list_left_out()),
    )


def find_gaps(replay: Replay) -> Iterator[Unchecked]:
    """What was left out, and no setting or flag of the project's explains; nothing of a run that failed."""
    if replay.failure is not None or replay.history.error is not None:
        return
    yield from RevisionCoverage(replay).find_gaps()
    yield from TableCoverage(replay).find_gaps()


# Revisions.


@dataclass(frozen=True)
class RevisionCoverage:
    """Which revisions of a replay ran, and why others did not."""

    replay: Replay

    @cached_property
    def known(self) -> frozenset[str]:
        """Every revision that Alembic loads."""
        return frozenset(revision.id for revision in self.replay.history.revisions)

    @cached_property
    def run(self) -> frozenset[str]:
        """Those that ran to their end, in whatever context."""
        return frozenset(step.revision for step in self.replay.steps)

    @cached_property
    def _graph(self) -> Graph:
        return build_graph(self.replay.history, with_dependencies=True)

    @cached_property
    def starting_heads(self) -> tuple[str, ...]:
        """What the version tables held before the first revision."""
        contexts = self.replay.contexts
        return tuple(dict.fromkeys(head for context in contexts for head in context.starting_heads))

    @cached_property
    def stamped(self) -> frozenset[str]:
        """Those that did not run because a version table had them already."""
        # A second context may begin where the first one ended.
        return frozenset(find_ancestors(self._graph, *self.starting_heads)) & (self.known - self.run)

    @cached_property
    def missing(self) -> frozenset[str]:
        """Those that did not run for another reason."""
        return self.known - self.run - self.stamped

    def list_left_out(self) -> Iterator[LeftOut]:
        """The revisions that did not run."""
        if self.stamped:
            yield LeftOut(self._count_revisions(self.stamped), self._explain_stamp())
        if self.missing:
            yield LeftOut(self._count_revisions(self.missing), self._explain_missing())

    def _explain_stamp(self) -> str:
        heads = join_words(self.starting_heads)
        by = f", by {self.replay.started_from}" if self.replay.started_from else ""
        return f"the version table had {heads} before the first revision{by}"

    def _explain_missing(self) -> str:
        failure = self.replay.failure
        if failure is not None:
            where = f" at `{failure.revision}`" if failure.revision else ""
            return f"the run failed{where}"
        target = self.replay.history.target
        if target not in NEWEST:
            return f"`target: {', '.join(target)}` leaves them out"
        return "env.py ended without running them"

    def _count_revisions(self, revisions: Collection[str]) -> str:
        ordered = [r.id for r in self.replay.history.revisions if r.id in revisions]
        if len(ordered) <= SHOWN_REVISIONS:
            return f"{'revision' if len(ordered) == 1 else 'revisions'} {join_words(ordered)}"
        return f"{len(ordered)} revisions from `{ordered[0]}` to `{ordered[-1]}`"

    def find_gaps(self) -> Iterator[Unchecked]:
        """Revisions that did not run, contexts that did not, statements that are not known."""
        if self.stamped and not self.replay.started_from:
            yield Unchecked(
                " ".join(sorted(set(self.starting_heads) & self.stamped)) or "history",
                f"{self._explain_stamp()}, and {self._count_revisions(self.stamped)} did not run",
                "Delete what stamps it (env.py, or what it imports). Where the history begins with what is "
                "there already, say so with `start_from:`",
            )
        yield from self._find_missing_gaps()
        yield from self._find_empty_history()
        if self.replay.skipped_contexts:
            contexts = count_noun(self.replay.skipped_contexts, "context")
            yield Unchecked(
                "env.py",
                f"it configured {contexts} more than it ran, whose migrations are not known",
                "Look for a condition around context.run_migrations()",
            )
        yield from self._find_unrecorded()

    def _find_missing_gaps(self) -> Iterator[Unchecked]:
        left_out = self.missing
        parents = {parent for revision in left_out for parent in self._graph[revision]}
        for head in sorted(left_out - parents):
            revisions = find_ancestors(self._graph, head) & left_out
            advice = (
                "Set `target: heads`"
                if self.replay.history.target not in NEWEST
                else "Look for a condition around context.run_migrations() in env.py"
            )
            why = self._explain_missing().replace("them", "it")
            also = f", with {len(revisions) - 1} before it" if len(revisions) > 1 else ""
            yield Unchecked(head, f"{why}{also}", advice)

    def _find_empty_history(self) -> Iterator[Unchecked]:
        steps = self.replay.steps
        is_begun_elsewhere = bool(self.replay.started_from) or not self.replay.catalog.tables
        if not steps or is_begun_elsewhere or any(step.statement_count for step in steps):
            return
        yield Unchecked(
            "history",
            f"none of its {count_noun(len(self.run), 'revision')} ran a statement: what is in the database "
            "was made elsewhere",
            "Write revisions that create it",
        )

    def _find_unrecorded(self) -> Iterator[Unchecked]:
        for step in self.replay.steps:
            if step.unrecorded_statements:
                yield Unchecked(
                    step.revision,
                    f"it ran {step.statement_count} statements, and {step.unrecorded_statements} of them "
                    "were not recorded: an error that it swallowed there is not seen",
                    "Have it run fewer statements, each for many rows",
                )


# Tables.


@dataclass(frozen=True)
class TableCoverage:
    """Which tables of the models a replay compared, and why others were not."""

    replay: Replay

    @cached_property
    def _left_out(self) -> LeftOutTables:
        return LeftOutTables(self.replay)

    @cached_property
    def uncreated(self) -> Mapping[str, str]:
        """Those that Postgres would not create from the models, and why."""
        return {
            item.table or item.object: item.message
            for item in self.replay.models.uncreated_objects
            if item.kind == "table"
        }

    @cached_property
    def compared(self) -> frozenset[str]:
        """Those that the models' database has and no filter leaves out, and those that Alembic compared."""
        models = self.replay.models
        if models.snapshot is None:
            return frozenset()
        created = {table.full_name for table in models.snapshot.tables}
        by_alembic = {
            item.table or item.object
            for item in models.uncreated_objects
            if item.kind == "table" and item.compared_by_alembic
        }
        return frozenset((set(models.tables) & (created | by_alembic)) - set(self._filters))

    @cached_property
    def _filters(self) -> Mapping[str, FilteredObject]:
        """What left each table out, and each model of a view."""
        return {**self._left_out.filters_by_table, **self._left_out.view_models}

    def list_left_out(self) -> Iterator[LeftOut]:
        """The tables that were not compared, with the reason."""
        for name, item in self._filters.items():
            yield LeftOut(_shown_name(name), item.option)
        for name, message in self.uncreated.items():
            if name not in self.compared:
                yield LeftOut(_shown_name(name), f"not created: {message}")

    def find_gaps(self) -> Iterator[Unchecked]:
        """Tables that nothing compared, and nothing else says so."""
        models = self.replay.models
        if models.snapshot is None:
            return
        explained = set(self._filters) | set(self.uncreated)
        lost = sorted(set(models.tables) - self.compared - explained)
        for name in lost:
            yield Unchecked(
                _shown_name(name), "the models map it, and the database that they made does not have it"
            )
        if models.tables and not self.compared and not lost and not self._left_out.hidden_tables:
            yield Unchecked("models", "none of their tables was compared")


def _shown_name(name: str) -> str:
    schema, _, table = name.rpartition(".")
    return display_name(schema or "public", table)
