"""titles stay"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'titles stay'; END $$"
    )
    op.execute("CREATE TRIGGER keep_title BEFORE UPDATE OF title ON notes EXECUTE FUNCTION refuse_change()")


def downgrade():
    op.execute("DROP TRIGGER keep_title ON notes")
