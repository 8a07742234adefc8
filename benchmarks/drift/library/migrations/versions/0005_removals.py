"""removals"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade():
    op.drop_column("authors", "code")  # makes: column authors.code
    op.drop_index("ix_shelf", table_name="books")  # makes: index ix_shelf
    op.drop_index(  # makes: index ix_loans_member
        "ix_loans_member"
    )
    op.drop_constraint("loans_book_id_fkey", "loans")  # makes: foreign-key loans.loans_book_id_fkey
    op.alter_column(  # makes: column members.since; column members.joined
        "members", "since", new_column_name="joined"
    )
    op.rename_table("shelves_", "shelves")
    op.rename_table("shelves", "boards")  # makes: table shelves; table boards


def downgrade():
    pass
