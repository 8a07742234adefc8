"""names of users"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.alter_column("users", "email", type_=sa.String(320))
    op.add_column("users", sa.Column("name", sa.Text()))


def downgrade():
    op.drop_column("users", "name")
    op.alter_column("users", "email", type_=sa.Text())
