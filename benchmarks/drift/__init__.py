"""How much drift Migration Gate and `alembic check` see in one example schema."""
