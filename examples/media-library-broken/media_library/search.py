"""Finding media by words."""

from collections.abc import Sequence

from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from media_library.models import Base, MediaItem


def prepare(engine: Engine) -> None:
    """Make what searching needs; called when the application starts."""
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(
            text("CREATE INDEX IF NOT EXISTS ix_media_items_words ON media_items (lower(title))")
        )


def search(session: Session, words: str) -> Sequence[MediaItem]:
    """The media items whose titles hold the words."""
    return session.scalars(select(MediaItem).where(MediaItem.title.ilike(f"%{words}%"))).all()
