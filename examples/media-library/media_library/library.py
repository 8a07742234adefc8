"""What the application does with the models."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from media_library.models import Collection, CollectionItem, MediaItem, MediaKind, Tag, User


def add(session: Session, owner: User, kind: MediaKind, title: str, size_bytes: int) -> MediaItem:
    """Put a new media item into the owner's library."""
    item = MediaItem(owner=owner, kind=kind, title=title, size_bytes=size_bytes)
    session.add(item)
    return item


def tag(session: Session, item: MediaItem, *names: str) -> None:
    """Tag a media item; tags are shared by everybody, and lower-case."""
    for name in names:
        lower = name.lower()
        known = session.scalar(select(Tag).where(Tag.name == lower))
        item.tags.append(known or Tag(name=lower))


def collect(collection: Collection, items: Sequence[MediaItem]) -> None:
    """Append media items to a collection, in the order given."""
    start = len(collection.items)
    for position, item in enumerate(items, start):
        collection.items.append(CollectionItem(media_item=item, position=position))


def newest(session: Session, owner: User, count: int = 20) -> Sequence[MediaItem]:
    """The owner's newest media items, newest first."""
    query = select(MediaItem).where(MediaItem.owner_id == owner.id)
    return session.scalars(query.order_by(MediaItem.created_at.desc()).limit(count)).all()
