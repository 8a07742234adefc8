"""merge pinned and archived"""

revision = "0004"
down_revision = ("0002", "0003")


def upgrade():
    pass


def downgrade():
    pass
