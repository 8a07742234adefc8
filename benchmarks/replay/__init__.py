"""How long the gate takes, beside plain Alembic and pytest-alembic."""
