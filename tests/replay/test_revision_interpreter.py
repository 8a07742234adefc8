"""Only what a fix may hold is run: nothing that a name or an expression of the project could smuggle in."""

from __future__ import annotations

import io

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from migration_gate.replay.revision_interpreter import (
    RefusedCode,
    has_statements,
    run_revision_code,
    uses_autocommit,
)


def print_sql(code: str) -> str:
    """The SQL that the lines would run."""
    output = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": output}
    )
    run_revision_code(code, Operations(context))
    return output.getvalue()


def test_the_lines_of_a_fix_are_run() -> None:
    code = (
        "# a comment\n"
        "op.add_column('t', sa.Column('c', sa.String(length=9), nullable=False,\n"
        "    server_default=sa.text(\"'x'\")))\n"
        "op.alter_column('t', 'd', existing_type=postgresql.JSONB(astext_type=sa.Text()), type_=sa.Text(),\n"
        "    postgresql_using='d::text')\n"
        "op.create_index(op.f('ix'), 't', ['c', 'd'], unique=True)\n"
        "op.alter_column('t', 'e', server_default=sa.func.now())\n"
        "pass"
    )  # fmt: skip
    assert print_sql(code).split(";\n\n") == [
        "ALTER TABLE t ADD COLUMN c VARCHAR(9) DEFAULT 'x' NOT NULL",
        "ALTER TABLE t ALTER COLUMN d TYPE TEXT USING d::text",
        "CREATE UNIQUE INDEX ix ON t (c, d)",
        "ALTER TABLE t ALTER COLUMN e SET DEFAULT now()",
        "",
    ]


@pytest.mark.parametrize(
    "code",
    [
        "import os",
        "__import__('os').system('true')",
        "op.get_bind()",
        "op.execute(open('/etc/passwd').read())",
        "op.execute.__globals__",
        "op.execute(op.get_context())",
        "sa.create_engine('postgresql://elsewhere/')",
        "sa.func.__class__('x')",
        "sa.util.compat.os.system('true')",
        "op.execute('a' if True else 'b')",
        "op.execute(f'{op}')",
        "op.drop_table(*['a'])",
        "op.drop_table(**{'table_name': 'a'})",
        "for x in [1]: op.drop_table('a')",
        "with open('x'): op.drop_table('a')",
        "(lambda: 0)()",
        "x = op.f('a')",
        "op.batch_alter_table('t')",
    ],
)
def test_anything_else_is_refused(code: str) -> None:
    with pytest.raises(RefusedCode):
        print_sql(code)


def test_lines_that_commit_and_lines_that_do_nothing_are_recognised() -> None:
    block = "with op.get_context().autocommit_block():\n    op.execute('ALTER TYPE a ADD VALUE 1')"
    assert uses_autocommit(block)
    assert not uses_autocommit("op.execute('x')")
    assert not has_statements("# Nothing to do")
    assert has_statements("# Drop it\nop.drop_table('a')")
