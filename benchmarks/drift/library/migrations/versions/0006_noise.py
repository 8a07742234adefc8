"""touches every table, and changes nothing for good"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade():
    for table in ("authors", "books", "members", "boards", "loans", "rest"):
        op.add_column(table, sa.Column("touched", sa.Integer()))
        op.drop_column(table, "touched")
        op.execute(f"COMMENT ON TABLE {table} IS 'x'")
        op.execute(f"COMMENT ON TABLE {table} IS NULL")
    op.execute("ALTER SEQUENCE visit_number CACHE 9")
    op.execute("ALTER SEQUENCE visit_number CACHE 1")


def downgrade():
    pass
