"""Labels that a revision makes and does not spell come from the application that it imports."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.checks import models_in_migration
from migration_gate.facts import EnumType, Facts, ImportedModule, Models, Replay, RevisionFile, Snapshot
from tests.support.fact_builders import make_chain, make_statement, make_steps

LOOP = 'sa.Enum(*[kind.name for kind in Kind], name="Kind", schema="S")'
CREATE = """CREATE TYPE "S"."Kind" AS ENUM ('small', 'it''s large')"""
ADD = """ALTER TYPE "S"."Kind" ADD VALUE IF NOT EXISTS 'small' BEFORE 'other'"""
IMPORT = "from shop.models import Kind\n"


def find_messages(text: str, sql: str, *labels: str) -> list[str]:
    """What is said of a revision with this text that ran the statement."""
    history = make_chain("a1")
    path = "migrations/versions/a1.py"
    enum = EnumType("S", "Kind", labels or ("small", "it's large"))
    modules = (
        ImportedModule("shop.models", "shop/models.py"),
        ImportedModule("migrations.kinds", "migrations/kinds.py"),
    )
    (step,) = make_steps(history)
    replay = Replay(
        history=replace(history, files=(RevisionFile(path, "a1", text=text),)),
        steps=(replace(step, statements=(make_statement(sql, line=4),)),),
        models=Models(("public.t",), 1, snapshot=Snapshot(enums=(enum,)), imported_modules=modules),
    )
    return [finding.message for finding in models_in_migration.check(Facts(replay=replay))]


@pytest.mark.parametrize("sql", [CREATE, ADD, CREATE.replace('"S".', "").replace("TYPE", "type")])
def test_labels_that_the_text_does_not_spell_are_found(sql: str) -> None:
    (message,) = find_messages(IMPORT + LOOP, sql)
    assert message.startswith(
        "`a1` makes labels of `S.Kind` that its text does not spell, but imports `shop.models`"
    )


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        (LOOP, CREATE),
        (IMPORT + 'sa.Enum("small", "it\'s large", name="Kind")', CREATE),
        (IMPORT + "class Own(enum.Enum):\n    small = 1\n", CREATE),
        (IMPORT + "from migrations.kinds import KINDS\n" + LOOP, CREATE),
        (IMPORT + "from .kinds import KINDS\n" + LOOP, CREATE),
        (IMPORT + 'op.execute(Path("kinds.sql").read_text())', CREATE),
        (IMPORT + LOOP, "CREATE TYPE \"S\".\"Kind\" AS ENUM ('small', 'new')"),
        (IMPORT + LOOP, "CREATE TYPE other AS ENUM ('small')"),
        (IMPORT + LOOP, 'CREATE TABLE t (kind "S"."Kind" DEFAULT \'small\')'),
    ],
)
def test_what_a_person_may_have_written_is_no_finding(text: str, sql: str) -> None:
    assert find_messages(text, sql) == []
