"""What spells the name of a renamed column or table is as old as the rename, and goes with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.analysis.drift_messages import describe_fix
from migration_gate.drift.model_comparison import compare_with_models
from migration_gate.facts import (
    Constraint,
    ConstraintKind,
    DdlCommand,
    Difference,
    Models,
    NamedDefinition,
    Replay,
    Snapshot,
)
from tests.support import fact_builders


def constraint(table: str, kind: ConstraintKind, definition: str) -> Constraint:
    references = "public.t" if kind == "foreign key" else None
    return Constraint("public", table, "k", kind, definition, ("b",), oid=50, references=references)


def snapshot(column: str, *constraints: Constraint) -> Snapshot:
    """The tables `t`, with a column of this name, and `child`."""
    own = fact_builders.make_table("t", f"{column} text", "b text", oid=7)
    child = fact_builders.make_table("child", "c text", "b text", oid=8)
    return Snapshot(
        tables=(*own.tables, *child.tables), columns=(*own.columns, *child.columns), constraints=constraints
    )


def compare(database: Snapshot, models: Snapshot, *commands: DdlCommand) -> tuple[Difference, ...]:
    history = fact_builders.make_chain("a1", "b2", "c3")
    replay = Replay(
        history=history,
        steps=fact_builders.make_steps(history),
        ddl_commands=commands,
        catalog=database,
        models=Models(metadatas=1, snapshot=models),
    )
    return compare_with_models(replay)


ALONE = "It differs in the name of `t.number` alone, which may be `t.Code` in the models: a rename corrects"
IN_MORE = (
    "It differs in the name of `t.number`, which may be `t.Code` in the models, and in more: rename first"
)


@pytest.mark.parametrize(
    ("table", "kind", "database", "models", "advice"),
    [
        ("t", "unique", "UNIQUE (number, b)", 'UNIQUE ("Code", b)', ALONE),
        ("t", "check", "CHECK ((number <> 'x'::text))", "CHECK ((\"Code\" <> 'x'::text))", ALONE),
        ("child", "foreign key", "REFERENCES public.t(number, b)", 'REFERENCES public.t("Code", b)', ALONE),
        ("t", "check", "CHECK ((number <> ' number '''))", "CHECK ((\"Code\" <> ' number '''))", ALONE),
        ("t", "check", "CHECK ((number <> 'x'::text))", "CHECK ((\"Code\" <> 'y'::text))", IN_MORE),
        ("t", "unique", "UNIQUE (number, b)", 'UNIQUE ("Code", b) DEFERRABLE', IN_MORE),
        # One side alone spells it: that is another difference.
        ("t", "unique", "UNIQUE (number, b)", "UNIQUE (b)", ""),
        ("child", "check", "CHECK ((number > 1))", 'CHECK (("Code" > 1))', ""),
    ],
)
def test_a_definition_that_spells_the_name_goes_with_the_rename(
    table: str, kind: ConstraintKind, database: str, models: str, advice: str
) -> None:
    differences = compare(
        snapshot("number", constraint(table, kind, database)),
        snapshot("Code", constraint(table, kind, models)),
    )
    (difference,) = (item for item in differences if item.object.endswith(".k"))
    assert difference.differs_in_names_alone is (advice == ALONE)
    text = describe_fix(difference)
    assert text.startswith(advice) if advice else "differs in the name" not in text


def test_lines_that_ran_are_offered_beside_a_possible_rename() -> None:
    differences = compare(
        snapshot("number", constraint("t", "unique", "UNIQUE (number, b)")),
        snapshot("Code", constraint("t", "unique", 'UNIQUE ("Code", b) DEFERRABLE')),
    )
    (difference,) = (item for item in differences if item.object.endswith(".k"))
    fixed = replace(difference, upgrade="op.execute('up')", downgrade="op.execute('down')")
    assert "op.execute('up')" in describe_fix(fixed)


@pytest.mark.parametrize(
    ("models", "culprit"), [("CHECK ((number > 1))", "b2"), ("CHECK ((number > 2))", "a1")]
)
def test_it_is_as_old_as_the_name_that_it_spells(models: str, culprit: str) -> None:
    def touch(step: int, column: str) -> DdlCommand:
        state = NamedDefinition("k", f"CHECK (({column} > 1))", 50, (column,), "s")
        command = fact_builders.make_ddl_command(step, "t", f"{column} text", "b text", oid=7)
        return replace(command, constraints=(state,))

    differences = compare(
        snapshot("code", constraint("t", "check", "CHECK ((code > 1))")),
        snapshot("number", constraint("t", "check", models)),
        touch(1, "number"),
        touch(2, "code"),
    )
    assert [item.revision for item in differences if item.kind == "check"] == [culprit]
