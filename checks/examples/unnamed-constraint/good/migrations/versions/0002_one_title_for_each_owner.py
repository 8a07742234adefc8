"""one title for each owner"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.create_unique_constraint("notes_owner_title", "notes", ["owner_id", "title"])


def downgrade():
    op.drop_constraint("notes_owner_title", "notes", type_="unique")
