"""batches: their operations run at the end of the block"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    with op.batch_alter_table("books") as batch:
        batch.alter_column("title", type_=sa.Text())  # makes: type books.title
        batch.alter_column("pages", server_default="7")  # makes: default books.pages
        batch.alter_column("printed", type_=sa.DateTime())
        batch.alter_column("printed", existing_type=sa.DateTime(), type_=sa.Date())
        batch.alter_column("printed", nullable=True)
        batch.add_column(sa.Column("colour", sa.Text()))  # makes: column books.colour
        batch.create_index("ix_colour", ["place"])  # makes: index ix_colour
    with op.batch_alter_table("members") as batch:
        batch.add_column(sa.Column("age", sa.SmallInteger()))  # makes: type members.age
        batch.add_column(sa.Column("points", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("since", sa.Date()))
        batch.add_column(sa.Column("created_at", sa.DateTime(timezone=True)))


def downgrade():
    pass
