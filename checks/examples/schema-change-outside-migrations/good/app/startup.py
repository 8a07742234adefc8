from sqlalchemy import text


def warm(engine):
    with engine.begin() as connection:
        connection.execute(text("SELECT count(*) FROM notes"))
