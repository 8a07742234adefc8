"""tags"""

from alembic import op

from app.models import Tag

revision = "0002"
down_revision = "0001"


def upgrade():
    Tag.__table__.create(op.get_bind())


def downgrade():
    op.drop_table("tags")
