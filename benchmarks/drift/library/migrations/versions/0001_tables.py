"""tables"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.execute("CREATE SCHEMA money")
    mood = sa.Enum("calm", "loud", name="mood")
    op.create_table(
        "authors",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("born", sa.String(4)),  # makes: type authors.born
        sa.Column("email", sa.Text()),
        sa.Column("mood", mood),
        sa.Column("rank", sa.Integer()),
        sa.Column("code", sa.String(9)),
        sa.Column("level", sa.Integer()),
        sa.Column("site", sa.Text()),
    )
    op.create_table(
        "books",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("title", sa.String(100), nullable=False),
        sa.Column("pages", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "author_id",
            sa.Integer(),
            sa.ForeignKey("authors.id"),  # makes: foreign-key books.books_author_id_fkey
        ),
        sa.Column("editor_id", sa.Integer()),
        sa.Column("isbn", sa.String(13), unique=True),  # makes: unique books.books_isbn_key
        sa.Column("shelf", sa.String(4)),
        sa.Column("place", sa.Integer()),
        sa.Column("price", sa.Numeric(8, 2)),
        sa.Column("weight", sa.Integer()),
        sa.Column("language", sa.String(2), comment="ISO"),  # makes: comment books.language
        sa.Column("printed", sa.Date(), nullable=False),
        sa.UniqueConstraint("title", "author_id", name="uq_title"),  # makes: unique books.uq_title
        sa.CheckConstraint("pages > 1", name="ck_pages"),  # makes: check books.ck_pages
        sa.Index("ix_shelf", "shelf"),
        sa.Index("ix_pages", "pages"),  # makes: index ix_pages
    )
    op.create_table(
        "members",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("email", sa.Text()),  # makes: nullability members.email
    )
    op.create_table("shelfs", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("label", sa.Text()))
    op.create_table(
        "loans",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("book_id", sa.Integer(), sa.ForeignKey("books.id"), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("days", sa.Integer()),
        sa.Column("state", sa.Enum("out", "back", "lost", name="loan_state")),  # makes: enum loan_state
    )
    op.create_index("ix_loans_member", "loans", ["member_id"])
    op.create_table(
        "fees",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("amount", sa.Numeric(6, 2)),  # makes: nullability money.fees.amount
        schema="money",
    )
    op.execute(sa.schema.CreateSequence(sa.Sequence("visit_number")))


def downgrade():
    pass
