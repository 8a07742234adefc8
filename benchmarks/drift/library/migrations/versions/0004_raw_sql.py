"""SQL"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
RENAME = """
ALTER TABLE shelfs
    RENAME TO shelves_
"""


def upgrade():
    op.execute(
        """
        ALTER TABLE books
            ALTER COLUMN price TYPE numeric(9, 2),
            ALTER COLUMN price SET DEFAULT 0
        """
    )
    op.execute("ALTER TABLE books ALTER COLUMN price TYPE real")  # makes: type books.price
    op.execute("ALTER TABLE books ALTER COLUMN price DROP DEFAULT")
    op.execute(RENAME)
    op.get_bind().execute(sa.text("ALTER TABLE books ALTER weight TYPE bigint"))  # makes: type books.weight
    op.execute("DO $$ BEGIN ALTER TABLE loans ALTER days SET DEFAULT 14; END $$")  # makes: default loans.days
    cursor = op.get_bind().connection.cursor()
    cursor.execute("ALTER TABLE money.fees ALTER amount TYPE numeric(6, 3)")  # makes: type money.fees.amount
    cursor.execute(  # makes: sequence visit_number
        "ALTER SEQUENCE visit_number INCREMENT BY 2"
    )
    op.execute("ALTER TYPE mood ADD VALUE 'sad'")  # makes: enum mood
    op.execute("CREATE TABLE rest (id integer)")  # makes: table rest
    op.execute(  # makes: table-option loans
        "ALTER TABLE loans SET UNLOGGED; ALTER TABLE loans SET (fillfactor = 50)"
    )


def downgrade():
    pass
