"""lower emails"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.create_index("ix_users_lower_email", "users", [sa.text("lower(email)")])


def downgrade():
    op.drop_index("ix_users_lower_email", "users")
