"""find notes by title"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    bind = op.get_bind()
    if bind.dialect.server_version_info >= (17,):
        op.execute("CREATE VIEW long_titles AS SELECT id FROM notes WHERE length(title) > 200")


def downgrade():
    op.execute("DROP VIEW IF EXISTS long_titles")
