"""SQL as text, without a server: names written and read as Postgres does."""
