"""invoice numbers"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.execute("CREATE SCHEMA billing")
    op.execute(sa.schema.CreateSequence(sa.Sequence("invoice_number", schema="billing")))


def downgrade():
    op.execute("DROP SCHEMA billing CASCADE")
