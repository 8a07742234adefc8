"""What the project declares beside its models: one difference for each object, with the lines that fit it."""

from __future__ import annotations

from dataclasses import replace

from migration_gate.drift.declared_differences import find_declared_differences
from migration_gate.facts import (
    Column,
    DeclaredOperation,
    Difference,
    Index,
    Models,
    Replay,
    Routine,
    Snapshot,
    Table,
    View,
)

USERS = Table("public", "users", oid=7)
ID = Column("public", "users", "id", "integer", nullable=False, number=1)
OLD = View("public", "active", "view", "SELECT 1;", oid=8)
NEW = View("public", "active", "view", "SELECT 2;", oid=8)
TWICE = Routine("public", "twice", "x integer", "function", "SELECT x", oid=9)
INDEX = Index("public", "users", "ix_id", "CREATE INDEX ix_id ON public.users USING btree (id)", ("id",))
DATABASE = Snapshot(tables=(USERS,), columns=(ID,), views=(OLD,))
REPLACE_VIEW = DeclaredOperation("replace_entity public.active", "op.replace(active)", "op.back(active)")


def find_differences(
    declared: Snapshot,
    *operations: DeclaredOperation,
    known: tuple[Difference, ...] = (),
    restored: Snapshot | None = None,
) -> tuple[Difference, ...]:
    facts = Models(declared_snapshot=declared, declared_operations=operations, restored_snapshot=restored)
    return find_declared_differences(Replay(catalog=DATABASE, models=facts), known)


def test_without_operations_nothing_is_declared() -> None:
    assert find_declared_differences(Replay(catalog=DATABASE), ()) == ()
    assert find_differences(DATABASE) == ()


def test_an_object_that_changes_has_both_sides_and_the_lines_of_its_operation() -> None:
    other = DeclaredOperation("create_entity PGFunction: public.inactive(x)", "op.create(inactive)")
    (view, *rest) = find_differences(replace(DATABASE, views=(NEW,)), other, REPLACE_VIEW)
    assert (view.kind, view.object, view.object_noun) == ("declared", "active", "view")
    assert (view.database, view.models) == ("SELECT 1;", "SELECT 2;")
    assert (view.upgrade, view.downgrade) == ("op.replace(active)", "op.back(active)")
    assert [item.object for item in rest] == [other.label]


def test_an_object_of_one_side_is_missing_or_left_over() -> None:
    declared = replace(DATABASE, views=(), routines=(TWICE,))
    operations = (
        DeclaredOperation("drop_entity public.active", "op.drop(active)"),
        DeclaredOperation("create_entity public.twice(x int)", "op.create(twice)"),
    )
    found = {item.object: item for item in find_differences(declared, *operations)}
    assert (found["active"].models, found["active"].upgrade) == (None, "op.drop(active)")
    assert found["twice(x integer)"].database is None
    assert len(found) == 2


def test_what_the_models_show_already_is_not_said_again() -> None:
    declared = replace(DATABASE, indexes=(INDEX,))
    operation = DeclaredOperation("add_index ix_id", "op.create_index('ix_id', 'users', ['id'])")
    (index,) = find_differences(declared, operation)
    assert index.table == "public.users"
    known = Difference("index", "ix_id", None, INDEX.definition)
    assert find_differences(declared, operation, known=(known,)) == ()


def test_the_parts_of_a_new_table_are_no_differences_of_their_own() -> None:
    posts = Table("public", "posts")
    column = replace(ID, table="posts")
    declared = replace(DATABASE, tables=(USERS, posts), columns=(ID, column))
    (table,) = find_differences(declared, DeclaredOperation("add_table posts", "op.create_table('posts')"))
    assert (table.object, table.upgrade) == ("posts", "op.create_table('posts')")


def test_an_operation_that_fails_or_changes_nothing_visible_is_named_by_its_words() -> None:
    failed = DeclaredOperation("create_entity public.v", error='column "nope" does not exist')
    rows = DeclaredOperation("execute INSERT", "op.execute('INSERT')")
    first, second = find_differences(DATABASE, failed, rows)
    assert (first.object, first.upgrade, first.fix_refused) == (failed.label, "", failed.error)
    assert (second.object, second.object_noun, second.upgrade) == (
        "execute INSERT",
        "operation",
        rows.upgrade,
    )


def test_a_name_that_many_tables_have_explains_no_operation_alone() -> None:
    """Else what the project wants is hidden where the difference of the column is allowed."""
    known = Difference("column", "users.id", "integer", None, table="public.users")
    rows = DeclaredOperation("execute", "op.execute('UPDATE posts SET id = 1')")
    (found,) = find_differences(DATABASE, rows, known=(known,))
    assert found.object == "execute"
    own = DeclaredOperation("remove_column users.id", "op.drop_column('users', 'id')")
    assert find_differences(DATABASE, own, known=(known,)) == ()


def test_an_operation_that_failed_is_not_hidden_by_what_its_lines_name() -> None:
    known = Difference("column", "users.id", "integer", None, table="public.users")
    failed = DeclaredOperation("create_entity public.v AS SELECT id FROM users", error="no")
    (found,) = find_differences(DATABASE, failed, known=(known,))
    assert (found.object, found.fix_refused) == (failed.label, "no")


def test_a_changed_column_has_the_lines_that_name_its_table() -> None:
    posts, other = Table("public", "posts"), replace(ID, table="posts", type="bigint")
    database = replace(DATABASE, tables=(USERS, posts), columns=(ID, replace(other, type="integer")))
    declared = replace(database, columns=(ID, other))
    wrong = DeclaredOperation("modify users", "op.alter_column('users', 'id')")
    right = DeclaredOperation("modify posts", "op.alter_column('posts', 'id')")
    facts = Models(declared_snapshot=declared, declared_operations=(wrong, right))
    first, second = find_declared_differences(Replay(catalog=database, models=facts), ())
    assert (first.object, first.upgrade) == ("posts.id", right.upgrade)
    assert second.object == wrong.label


def test_a_downgrade_that_does_not_restore_the_database_is_not_offered() -> None:
    declared = replace(DATABASE, views=(NEW,))
    (kept,) = find_differences(declared, REPLACE_VIEW, restored=DATABASE)
    (dropped,) = find_differences(declared, REPLACE_VIEW, restored=declared)
    assert (kept.downgrade, dropped.downgrade) == ("op.back(active)", "")
