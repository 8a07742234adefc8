"""What is said of downgrades: rows, what lets an upgrade fail, first revisions, names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.analysis.rollback_messages import suggest_downgrade_fix
from migration_gate.check import Severity
from migration_gate.checks import (
    failing_downgrade,
    failing_reupgrade,
    incomplete_downgrade,
    lossy_downgrade,
    missing_downgrade,
    rows_differ_after_rollback,
    unnamed_constraint,
)
from migration_gate.facts import (
    AlteredRows,
    Base,
    ChangedFile,
    DdlCommand,
    DowngradeText,
    Facts,
    Failure,
    LineRange,
    Location,
    NamedDefinition,
    Replay,
    RevisionFile,
    RevisionRollback,
    RollbackDifference,
    SetKeyword,
    Step,
    TableState,
    UnnamedCall,
)
from tests.support.fact_builders import (
    make_chain,
    make_history,
    make_revision,
    make_statement,
    make_steps,
    make_table,
)


@pytest.mark.parametrize(
    ("column", "by_downgrade", "severity"),
    [
        ("interval", True, Severity.NOTE),
        ("name", True, None),
        ("name", False, Severity.WARNING),
        ("other", True, None),
    ],
)
def test_altered_values_weigh_what_they_prove(
    column: str, by_downgrade: bool, severity: Severity | None
) -> None:
    catalog = make_table("alert", "id integer NOT NULL", "interval jsonb", "name text")
    altered = AlteredRows(f"alert.{column}", "`x` held 1 before and 2 after", by_downgrade)
    rollback = RevisionRollback("b", altered_rows=(altered,))
    replay = Replay(history=make_chain("a", "b"), catalog=catalog, rollbacks=(rollback,))
    facts = Facts(replay=replay)
    (finding,) = rows_differ_after_rollback.check(facts)
    assert finding.severity == severity
    assert [*incomplete_downgrade.check(facts), *lossy_downgrade.check(facts)] == []


def check_leftovers(*leftovers: RollbackDifference) -> list[str]:
    """What is said to do about each."""
    rollback = RevisionRollback("b", leftovers=leftovers)
    facts = Facts(replay=Replay(history=make_chain("a", "b"), rollbacks=(rollback,)))
    return [finding.fix for finding in incomplete_downgrade.check(facts)]


def test_a_column_that_may_have_been_renamed_is_not_to_be_dropped() -> None:
    lost = RollbackDifference("column", "item.size", "integer", None)
    left = RollbackDifference("column", "item.length", None, "integer")
    fixes = check_leftovers(lost, left)
    assert fixes == [
        "If `upgrade()` renamed it (to `item.length`), rename it back in `downgrade()`: so its values stay. "
        "Else create it there as it was.",
        "If `upgrade()` renamed it (from `item.size`), rename it back in `downgrade()`: so its values stay. "
        "Else drop it there.",
    ]
    others = [
        replace(left, found="text"),
        replace(left, object="other.length"),
        replace(left, noun="table"),
        replace(lost, object="item.width"),
    ]
    for other in others:
        assert not any("renamed" in fix for fix in check_leftovers(lost, other))
    several = check_leftovers(lost, left, replace(left, object="item.width"))
    assert not any("renamed" in fix for fix in several)


def test_privileges_are_taken_back() -> None:
    left = RollbackDifference("privileges", "public.item", None, "=r/postgres")
    rollback = RevisionRollback("b", leftovers=(left,))
    (finding,) = incomplete_downgrade.check(
        Facts(replay=Replay(history=make_chain("a", "b"), rollbacks=(rollback,)))
    )
    assert finding.message == "`b`: the downgrade left the privileges on `public.item` behind"
    words = {"REVOKE": left, "with GRANT.": replace(left, expected="=r/postgres", found=None)}
    words["GRANT and REVOKE"] = replace(left, expected="=w/postgres")
    assert all(word in check_leftovers(item)[0] for word, item in words.items())


def test_triggers_are_enabled_again() -> None:
    left = RollbackDifference(
        "unenforced constraint", 'public.pet.owner_fkey on app."Owner"', None, "FOREIGN KEY (owner_id)"
    )
    table = 'ALTER TABLE app."Owner" %s TRIGGER ALL'
    assert (table % "ENABLE") in check_leftovers(left)[0]
    lost = replace(left, expected=left.found, found=None)
    assert (table % "DISABLE") in check_leftovers(lost)[0]


# An object that was left behind, and the upgrade that it lets fail.

LEFT = RollbackDifference("enum type", "kind", None, "('x')")
EXISTS = Failure('type "kind" already exists', "DuplicateObject", "42710", statement="CREATE TYPE kind")


def check_both(rollback: RevisionRollback) -> list[tuple[str, str]]:
    """Check and kind of the findings of incomplete-downgrade and failing-reupgrade."""
    facts = Facts(replay=Replay(history=make_chain("a", "b"), rollbacks=(rollback,)))
    checks = {"incomplete": incomplete_downgrade, "reupgrade": failing_reupgrade}
    return [(name, finding.kind) for name, check in checks.items() for finding in check.check(facts)]


@pytest.mark.parametrize(
    ("message", "sqlstate", "statement", "fix"),
    [
        (
            'column "size" of relation "item" contains null values',
            "23502",
            "ALTER TABLE item ADD COLUMN size int NOT NULL",
            'op.execute("UPDATE item SET size = ... WHERE size IS NULL")',
        ),
        (
            'could not create unique index "item_key"',
            "23505",
            "CREATE UNIQUE INDEX item_key ON item (a)",
            "Its tables hold rows then, as in production. Remove or merge the duplicates",
        ),
        ("duplicate key", "23505", "INSERT INTO item VALUES (1)", "Have `downgrade()` undo what"),
    ],
)
def test_an_upgrade_that_rows_stop_is_not_put_down_to_the_downgrade(
    message: str, sqlstate: str, statement: str, fix: str
) -> None:
    failure = Failure(message, sqlstate=sqlstate, statement=statement)
    rollback = RevisionRollback("b", reupgrade_failure=failure)
    facts = Facts(replay=Replay(history=make_chain("a", "b"), rollbacks=(rollback,)))
    (finding,) = failing_reupgrade.check(facts)
    assert fix in finding.fix


def test_rows_that_the_first_upgrade_made_are_the_downgrades_to_remove() -> None:
    index = "CREATE UNIQUE INDEX item_key ON shop.item (a)"
    failure = Failure('could not create unique index "item_key"', sqlstate="23505", statement=index)
    history = make_chain("a", "b")
    first, second = make_steps(history)
    insertion = make_statement('INSERT INTO shop."item" (a) VALUES (1)')
    rollback = RevisionRollback("b", reupgrade_failure=failure)
    steps = (first, replace(second, statements=(insertion, make_statement(index))))
    (finding,) = failing_reupgrade.check(
        Facts(replay=Replay(history=history, steps=steps, rollbacks=(rollback,)))
    )
    assert finding.fix == failing_reupgrade.UNDO_FIRST


def test_a_downgrade_that_forbids_null_is_told_to_fill_the_rows_first() -> None:
    failure = Failure(
        'column "order" of relation "item" contains null values',
        sqlstate="23502",
        statement='ALTER TABLE item ALTER COLUMN "order" SET NOT NULL',
    )
    adding = replace(failure, statement='ALTER TABLE item ADD COLUMN "order" int NOT NULL')
    in_schema = replace(failure, statement='ALTER TABLE ONLY shop."Item" ALTER COLUMN "order" SET NOT NULL')
    assert """UPDATE shop."Item" SET "order" = ... WHERE""" in suggest_downgrade_fix(in_schema)
    assert """UPDATE item SET "order" = ... WHERE "order" IS NULL""" in suggest_downgrade_fix(failure)
    assert "add it with a `server_default`" in suggest_downgrade_fix(adding)


def test_what_was_left_behind_and_lets_the_upgrade_fail_is_one_finding() -> None:
    rollback = RevisionRollback("b", leftovers=(LEFT,), reupgrade_failure=EXISTS)
    facts = Facts(replay=Replay(history=make_chain("a", "b"), rollbacks=(rollback,)))
    (finding,) = incomplete_downgrade.check(facts)
    assert finding.message == (
        "`b`: the downgrade left the enum type `kind` behind, and the next upgrade fails: "
        'type "kind" already exists'
    )
    assert ("statement", "CREATE TYPE kind") in [(piece.label, piece.text) for piece in finding.evidence]
    assert list(failing_reupgrade.check(facts)) == []


@pytest.mark.parametrize(
    ("leftover", "failure", "is_cause"),
    [
        (LEFT, EXISTS, True),
        (LEFT, Failure('type "mood" already exists', sqlstate="42710"), False),
        (LEFT, Failure('duplicate key value violates "kind"', sqlstate="23505"), False),
        (
            RollbackDifference("table", "shop.item", None, "table"),
            Failure('relation "item" already exists', sqlstate="42P07"),
            True,
        ),
        (
            RollbackDifference("column", "item.size", None, "integer"),
            Failure('column "size" of relation "item" already exists', sqlstate="42701"),
            True,
        ),
        (
            RollbackDifference("table", "item", "table", None),
            Failure('relation "item" does not exist', sqlstate="42P01"),
            True,
        ),
        (
            RollbackDifference("function", "refuse()", None, "..."),
            Failure('function "refuse" already exists with same argument types', sqlstate="42723"),
            True,
        ),
        (
            RollbackDifference("column", "item.size", "integer", "bigint"),
            Failure('column "size" of relation "item" already exists', sqlstate="42701"),
            False,
        ),
        (
            LEFT,
            Failure("current transaction is aborted", sqlstate="25P02", first_error=EXISTS),
            True,
        ),
    ],
)
def test_only_an_error_over_the_very_object_has_the_downgrade_for_its_cause(
    leftover: RollbackDifference, failure: Failure, is_cause: bool
) -> None:
    found = check_both(RevisionRollback("b", leftovers=(leftover,), reupgrade_failure=failure))
    assert len(found) == (1 if is_cause else 2)
    assert (("reupgrade", "failed") in found) != is_cause


def test_an_extension_that_was_left_is_an_error_only_if_the_next_upgrade_fails() -> None:
    left = RollbackDifference("extension", "pg_trgm", None, "version 1.6 in public")
    exists = Failure('extension "pg_trgm" already exists', sqlstate="42710")
    for failure, severity in ((None, Severity.WARNING), (exists, None)):
        rollback = RevisionRollback("b", leftovers=(left,), reupgrade_failure=failure)
        facts = Facts(replay=Replay(history=make_chain("a", "b"), rollbacks=(rollback,)))
        (finding,) = incomplete_downgrade.check(facts)
        assert finding.severity == severity


# The first revision of a history, and a squash.


def make_base(*files: tuple[str, tuple[str, ...]]) -> Replay:
    """A history of these revisions and parents, all of the change, whose downgrades are empty."""
    revisions = [make_revision(name, *parents) for name, parents in files]
    history = replace(
        make_history(*revisions),
        files=tuple(
            RevisionFile(item.location.file, item.id, downgrade=DowngradeText(line=20, is_empty=True))
            for item in revisions
        ),
    )
    return Replay(history=history, changed_files=tuple(item.location.file for item in revisions))


def test_nobody_goes_below_the_first_revision() -> None:
    replay = make_base(("a", ()), ("b", ("a",)))
    rollbacks = tuple(RevisionRollback(name) for name in ("a", "b"))
    found = missing_downgrade.check(Facts(replay=replace(replay, rollbacks=rollbacks)))
    assert {finding.object: finding.severity for finding in found} == {"a": Severity.NOTE, "b": None}


@pytest.mark.parametrize(("older", "severity"), [(3, Severity.NOTE), (2, None)])
def test_a_project_without_downgrades_has_decided_that(older: int, severity: Severity | None) -> None:
    names = "abcd"[: older + 1]
    replay = make_base((names[0], ()), *((name, (names[i],)) for i, name in enumerate(names[1:])))
    replay = replace(
        replay, changed_files=replay.changed_files[-1:], rollbacks=(RevisionRollback(names[-1]),)
    )
    (finding,) = missing_downgrade.check(Facts(replay=replay))
    assert (finding.object, finding.severity) == (names[-1], severity)


def test_a_revision_that_changed_no_schema_is_not_said_to_change_rows() -> None:
    replay = replace(
        make_base(("a", ()), ("b", ("a",))), rollbacks=(RevisionRollback("b", has_changed_catalog=False),)
    )
    (finding,) = (item for item in missing_downgrade.check(Facts(replay=replay)) if item.object == "b")
    # On empty tables it cannot be told from one that returns at once: for the dialect of another server.
    assert (finding.severity, "changes rows at most" in finding.message) == (Severity.NOTE, True)


def test_an_error_over_a_made_up_row_is_a_note() -> None:
    failure = Failure("Expecting value", "JSONDecodeError", direction="downgrade")
    replay = Replay(history=make_chain("a", "b"), rollbacks=(RevisionRollback("b", row_failure=failure),))
    (finding,) = failing_downgrade.check(Facts(replay=replay))
    assert (finding.kind, finding.severity) == ("made-up-row", Severity.NOTE)
    assert "`downgrade()` failed on a row that the gate made up" in finding.message
    refused = replace(failure, message="Export the notes first", is_deliberate=True)
    replay = replace(replay, rollbacks=(RevisionRollback("b", row_failure=refused),))
    (finding,) = failing_downgrade.check(Facts(replay=replay))
    assert "the code of `downgrade()` refuses a row that the gate made up" in finding.message
    assert "let the code pass over it" not in finding.fix


def test_a_second_branch_can_be_taken_back_as_a_whole() -> None:
    replay = make_base(("a", ()), ("x", ()))
    rollbacks = tuple(RevisionRollback(name) for name in ("a", "x"))
    found = missing_downgrade.check(Facts(replay=replace(replay, rollbacks=rollbacks)))
    assert {finding.object: finding.severity for finding in found} == {"a": None, "x": None}


def test_a_squash_needs_no_downgrade() -> None:
    replay = replace(make_base(("s", ()), ("t", ("s",))), rollbacks=(RevisionRollback("t"),))
    before = Facts(replay=Replay(history=make_chain("a", "b", "c")))
    facts = Facts(replay=replay, base=Base("c0ffee", "the base", before))
    assert [finding.object for finding in missing_downgrade.check(facts)] == ["t"]


# Constraints without a name.


def drop(line: int, kind: str = "unique", table: str = "note") -> UnnamedCall:
    return UnnamedCall("drop_constraint", line, line, "op.drop_constraint(None, …)", table, kind)


@pytest.mark.parametrize(
    ("message", "sqlstate", "line", "count"),
    [
        ("CompileError: Can't emit DROP CONSTRAINT for UniqueConstraint(); it has no name", None, 20, 0),
        ('index "ix_note_x" does not exist', "42704", 22, 0),
        ('index "ix_note_x" does not exist', "42704", 23, 1),
        ("ValueError: no", None, 23, 1),
    ],
    ids=["at the end of a batch", "an index without a name", "another line", "another error"],
)
def test_the_error_of_a_drop_without_a_name_is_told_once(
    message: str, sqlstate: str | None, line: int, count: int
) -> None:
    drops = (UnnamedCall("drop_constraint", 22, 22, "drop_constraint(None)", "note"),)
    text = DowngradeText(line=19, unnamed_drops=drops)
    place = Location("versions/b.py", line)
    failure = Failure(message, sqlstate=sqlstate, direction="downgrade", location=place)
    files = (RevisionFile("versions/b.py", "b", downgrade=text),)
    history = replace(make_history(make_revision("b")), files=files)
    replay = Replay(history=history, rollbacks=(RevisionRollback("b", failure=failure),))
    assert len([*failing_downgrade.check(Facts(replay=replay))]) == count


def make_unnamed(
    *constraints: tuple[str, str, tuple[str, ...]],
    drops: tuple[UnnamedCall, ...],
    creations: tuple[UnnamedCall, ...] = (),
) -> Facts:
    """A revision `b` that adds constraints (name, definition, columns) to a table which has two."""
    old = (
        NamedDefinition("note_pkey", "PRIMARY KEY (id)", 1, ("id",)),
        NamedDefinition("old", "UNIQUE (x)", 2),
    )
    made = tuple(
        NamedDefinition(name, definition, 10 + number, columns)
        for number, (name, definition, columns) in enumerate(constraints)
    )
    state = TableState("public", "note")
    commands = (
        DdlCommand(1, "CREATE TABLE", "table", "public.note", 5, table=state, constraints=old),
        DdlCommand(2, "ALTER TABLE", "table", "public.note", 5, table=state, constraints=(*old, *made)),
    )
    file = "migrations/versions/b.py"
    text = DowngradeText(line=20, unnamed_drops=drops, unnamed_creations=creations)
    history = replace(make_chain("a", "b"), files=(RevisionFile(file, "b", downgrade=text),))
    return Facts(
        replay=Replay(
            history=history,
            steps=(Step(1, "a", 0.0), Step(2, "b", 0.0)),
            ddl_commands=commands,
            catalog=make_table("note", "id integer NOT NULL"),
            changed_files=(file,),
            changed_lines=(ChangedFile(file, (LineRange(1, None),)),),
        )
    )


def list_names(facts: Facts) -> list[tuple[int | None, str]]:
    """Line and name of each correction."""
    return [
        (correction.location.line, correction.value)
        for finding in unnamed_constraint.check(facts)
        for correction in finding.corrections
        if isinstance(correction, SetKeyword)
    ]


def test_the_name_that_postgres_gave_stands_in_both_functions() -> None:
    created = UnnamedCall("create_unique_constraint", 12, 12, "…", "note", "unique", ("title",))
    facts = make_unnamed(
        ("note_title_key", "UNIQUE (title)", ("title",)), drops=(drop(21),), creations=(created,)
    )
    assert list_names(facts) == [(21, '"note_title_key"'), (12, '"note_title_key"')]
    unchanged = replace(facts, replay=replace(facts.replay, changed_lines=()))
    assert list_names(unchanged) == [(21, '"note_title_key"')]


def test_several_are_dropped_in_the_opposite_order() -> None:
    facts = make_unnamed(
        ("note_title_key", "UNIQUE (title)", ("title",)),
        ("note_owner_id_fkey", "FOREIGN KEY (owner_id) REFERENCES users(id)", ("owner_id",)),
        ("note_slug_key", "UNIQUE (slug)", ("slug",)),
        drops=(drop(21), drop(22, "foreign key"), drop(23)),
    )
    assert list_names(facts) == [
        (21, '"note_slug_key"'),
        (22, '"note_owner_id_fkey"'),
        (23, '"note_title_key"'),
    ]


@pytest.mark.parametrize("drops", [(drop(21, "check"),), (drop(21, ""),), (drop(21), drop(22))])
def test_no_name_is_guessed(drops: tuple[UnnamedCall, ...]) -> None:
    facts = make_unnamed(("note_title_key", "UNIQUE (title)", ("title",)), drops=drops)
    assert list_names(facts) == []
