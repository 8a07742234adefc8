"""each owner sees the own notes"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE notes ENABLE ROW LEVEL SECURITY")


def downgrade():
    op.execute("ALTER TABLE notes DISABLE ROW LEVEL SECURITY")
