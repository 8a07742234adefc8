"""`python -m benchmarks.drift.fuzz [PAIRS] [SEED]`: no fix that is offered may fail, for random schemas.

Every fix that is offered is run on a fresh copy, alone and as a part of the one revision, as a reader would
run it: by Alembic, in a transaction of its own. Nothing of what verified it is used.
"""

from __future__ import annotations

import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import psycopg

from benchmarks.drift.example_database import Connect, copy_database, read_database, run_revision_body
from benchmarks.drift.measurement import compare_snapshots
from benchmarks.drift.random_schemas import RandomSchema, SchemaGenerator
from migration_gate.facts import Difference, RenameFix, Replay, Snapshot
from migration_gate.postgres.choice import start_server
from migration_gate.postgres.run_directory import temporary_run_directory
from migration_gate.postgres.server import Server
from migration_gate.replay.catalog_losses import describe_changes
from migration_gate.replay.offered_fixes import offer_fixes

Key = tuple[str, str, str]
"""kind and object of a difference, and which option of a table it is"""


@dataclass(frozen=True, slots=True)
class TriedPair:
    """A pair of schemas, the fixes that were offered for it, and what is wrong with them."""

    seed: int
    replay: Replay
    faults: tuple[str, ...]


def try_pairs(server: Server, pairs: int, seed: int) -> Iterator[TriedPair]:
    """Pairs of the seeds from `seed`; those that Postgres refuses or that do not differ are left out."""

    def connect(database: str) -> psycopg.Connection:
        return server.connect(database)

    empty = server.create_database()
    for number in range(seed, seed + pairs):
        schemas = SchemaGenerator(random.Random(number)).make_pair()
        database, models = (copy_database(connect, empty, f"fuzz_{side}") for side in ("database", "models"))
        if not _create(connect, database, schemas[0]) or not _create(
            connect, models, schemas[1], extras=False
        ):
            continue
        snapshots = [read_database(connect, name) for name in (database, models)]
        replay, differences = compare_snapshots(*snapshots)
        if differences:
            offered = offer_fixes(server, database, replace(replay, differences=differences), differences)
            yield TriedPair(number, offered, tuple(FixTry(connect, database, offered).find_faults()))


def _create(connect: Connect, database: str, schema: RandomSchema, *, extras: bool = True) -> bool:
    """Whether Postgres accepts the schema; extras that it refuses are left out."""
    optional = {extra for table in schema.tables.values() for extra in table.extras}
    with connect(database) as connection:
        for statement in schema.statements(with_extras=extras):
            try:
                connection.execute(statement)
            except psycopg.Error:
                if statement not in optional:
                    return False
    return True


@dataclass(frozen=True, slots=True)
class FixTry:
    """The fixes that were offered for a database."""

    connect: Connect
    database: str
    offered: Replay

    def find_faults(self) -> Iterator[str]:
        """What goes wrong when a reader takes them."""
        revision = self.offered.drift_revision
        managed = [item for item in self.offered.differences if item.kind != "unmanaged"]
        if revision is not None:
            removed: set[Key] = {
                key for item in managed if item.object not in revision.left_out for key in _keys_of(item)
            }
            yield from self._run("together", revision.upgrade, revision.downgrade, removed)
        for item in managed:
            if item.upgrade and not item.runs_only_with:
                name = f"{item.kind} of {item.object}"
                yield from self._run(name, item.upgrade, item.downgrade, _keys_of(item))
        yield from self._try_renames(managed)

    def _try_renames(self, differences: list[Difference]) -> Iterator[str]:
        """Both findings of a rename have the same lines, which may leave what they name."""
        renames: dict[RenameFix, set[Key]] = defaultdict(set)
        for item in differences:
            if item.rename_fix is not None and item.rename_fix.upgrade:
                renames[item.rename_fix].add((item.kind, item.object, item.object_noun))
        for fix, removed in renames.items():
            name = f"rename of {sorted(removed)}"
            yield from self._run(name, fix.upgrade, fix.downgrade, removed, fix.remaining)

    def _run(
        self, name: str, upgrade: str, downgrade: str, removed: set[Key], remaining: tuple[str, ...] = ()
    ) -> Iterator[str]:
        copy = copy_database(self.connect, self.database, "fuzz_copy")
        before = read_database(self.connect, copy)
        known = {key for item in self.offered.differences for key in _keys_of(item)}
        try:
            run_revision_body(self.connect, copy, upgrade)
            after = self._differences_of(copy)
            run_revision_body(self.connect, copy, downgrade)
        except Exception as error:  # noqa: BLE001  (whatever it raises is the result)
            yield f"{name}: {str(error).splitlines()[0]}"
            return
        if after & removed:
            yield f"{name}: remains {sorted(after & removed)}"
        new = sorted(key for key in after - known if key[1] not in remaining)
        if new:
            yield f"{name}: new {new}"
        for change in describe_changes(Replay(catalog=before), read_database(self.connect, copy)):
            yield f"{name}: not restored: {change}"

    def _differences_of(self, database: str) -> set[Key]:
        models = self.offered.models.snapshot or Snapshot()
        differences = compare_snapshots(read_database(self.connect, database), models)[1]
        return {
            (item.kind, item.object, item.object_noun) for item in differences if item.kind != "unmanaged"
        }


def _keys_of(difference: Difference) -> set[Key]:
    """Kind and object of the difference, and of the default that it stands for as well."""
    keys = {(str(difference.kind), difference.object, difference.object_noun)}
    return keys | {("default", difference.object, "")} if difference.includes_default else keys


def count_fixes(replay: Replay) -> Counter[str]:
    """How many differences there are, and what became of their fixes."""
    counts = Counter[str]()
    for item in replay.differences:
        if item.kind != "unmanaged":
            counts["differences"] += 1
            counts["offered"] += bool(item.upgrade)
            counts["only with others"] += bool(item.runs_only_with)
            counts["refused"] += bool(item.fix_refused)
            counts["by another's"] += item.fixed_by_others
            if item.rename_fix is not None:
                counts["renames"] += bool(item.rename_fix.upgrade)
                counts["renames refused"] += bool(item.rename_fix.refused)
    return counts


def main(pairs: int = 100, seed: int = 1) -> int:
    """Print the faults, and the refusals with `-v`; the exit status."""
    counts = Counter[str]()
    with temporary_run_directory() as folder, start_server("auto", folder=folder) as server:
        for tried in try_pairs(server, pairs, seed):
            counts += count_fixes(tried.replay)
            counts["pairs"] += 1
            counts["faults"] += len(tried.faults)
            for fault in tried.faults:
                print(f"pair {tried.seed}: {fault}")
            for item in tried.replay.differences if "-v" in sys.argv else ():
                if item.fix_refused:
                    print(f"pair {tried.seed}: {item.kind} of {item.object}: refused: {item.fix_refused}")
    print(dict(counts))
    return 1 if counts["faults"] else 0


if __name__ == "__main__":
    sys.exit(main(*(int(argument) for argument in sys.argv[1:] if argument.isdigit())))
