"""loops, functions, and functions of other files"""

import sqlalchemy as sa
from alembic import op
from app import schema_helpers

revision = "0003"
down_revision = "0002"
TABLES = ("authors", "members")


def require(table, column):
    op.alter_column(table, column, nullable=False)  # makes: nullability authors.site


def upgrade():
    for table in TABLES:
        op.add_column(table, sa.Column("tag", sa.Text()))  # makes: column authors.tag; column members.tag
    schema_helpers.add_note("authors")  # makes: column authors.note
    schema_helpers.add_note("books")
    schema_helpers.widen("authors", "rank")  # makes: type authors.rank
    require("authors", "site")
    for column in ["level"]:
        (
            op.alter_column("authors", column, server_default="3")  # makes: default authors.level
        )
    op.drop_column("books", "note")


def downgrade():
    pass
