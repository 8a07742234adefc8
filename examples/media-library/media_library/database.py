"""The engine and its sessions."""

import os

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

DEFAULT_URL = "postgresql+psycopg://media:media@localhost:5432/media_library"


def engine() -> Engine:
    """The engine of DATABASE_URL, or of the database on a developer's machine."""
    return create_engine(os.environ.get("DATABASE_URL", DEFAULT_URL), pool_pre_ping=True)


def sessions() -> sessionmaker[Session]:
    """A factory of sessions on that engine."""
    return sessionmaker(engine(), expire_on_commit=False)
