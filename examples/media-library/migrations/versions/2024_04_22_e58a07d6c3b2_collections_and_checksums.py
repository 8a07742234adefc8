"""collections and checksums come together

Revision ID: e58a07d6c3b2
Revises: 17e6f3a0b8d5, 6d2b84c1e9f7
Create Date: 2024-04-22 09:30:00
"""

revision = "e58a07d6c3b2"
down_revision = ("17e6f3a0b8d5", "6d2b84c1e9f7")
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
