from sqlalchemy import text


def prepare(engine):
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE notes ADD COLUMN IF NOT EXISTS pinned boolean"))
