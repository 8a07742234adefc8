"""one title for each owner"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.create_unique_constraint(None, "notes", ["owner_id", "title"])


def downgrade():
    op.drop_constraint(None, "notes", type_="unique")
