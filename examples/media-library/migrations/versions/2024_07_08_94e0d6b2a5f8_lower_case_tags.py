"""tags are lower-case

Tags that differ only in case become the oldest one of them.

Revision ID: 94e0d6b2a5f8
Revises: 2c8f7a3e61d0
Create Date: 2024-07-08 09:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "94e0d6b2a5f8"
down_revision = "2c8f7a3e61d0"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    tags = sa.table("tags", sa.column("id", sa.BigInteger), sa.column("name", sa.String))
    links = sa.table("media_item_tags", sa.column("media_item_id"), sa.column("tag_id"))
    kept: dict[str, int] = {}
    for tag in connection.execute(sa.select(tags.c.id, tags.c.name).order_by(tags.c.id)).all():
        name = tag.name.lower()
        if name not in kept:
            kept[name] = tag.id
            connection.execute(tags.update().where(tags.c.id == tag.id).values(name=name))
            continue
        there = sa.select(links.c.media_item_id).where(links.c.tag_id == kept[name])
        moving = links.update().where(links.c.tag_id == tag.id, links.c.media_item_id.not_in(there))
        connection.execute(moving.values(tag_id=kept[name]))
        connection.execute(tags.delete().where(tags.c.id == tag.id))
    op.create_check_constraint(op.f("ck_tags_name_lower_case"), "tags", "name = lower(name)")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_tags_name_lower_case"), "tags", type_="check")
