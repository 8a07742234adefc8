"""What revisions share."""

import sqlalchemy as sa
from alembic import op


def add_note(table):
    op.add_column(table, sa.Column("note", sa.Text()))


def widen(table, column):
    _alter(table, column, sa.BigInteger())


def _alter(table, column, type_):
    op.alter_column(table, column, type_=type_)
