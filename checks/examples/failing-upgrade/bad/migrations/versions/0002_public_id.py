"""public ids"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.add_column(
        "notes",
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuid_generate_v4()"), nullable=False),
    )


def downgrade():
    op.drop_column("notes", "public_id")
