"""Gives a Flask application the address of a database, where it has none and fails for the want of it."""

from __future__ import annotations

from typing import Any

from .import_hooks import ImportHooks
from .placeholders import PLACEHOLDER_URL

OPTION = "SQLALCHEMY_DATABASE_URI"


class FlaskDatabase:
    """Stands between an application and Flask-SQLAlchemy, which asks for the address as of its version 3."""

    def __init__(self) -> None:
        self.is_filling = False
        self.is_supplied = False
        """an application was given an address"""

    def install(self, imports: ImportHooks) -> None:
        """Watch Flask-SQLAlchemy, once it is imported."""
        imports.add("flask_sqlalchemy.extension", self._patch_module)

    def _patch_module(self, module: Any) -> None:
        real_init_app = module.SQLAlchemy.init_app

        def init_app(extension: Any, app: Any) -> Any:
            if self.is_filling and not app.config.get(OPTION):
                app.config[OPTION] = PLACEHOLDER_URL
                self.is_supplied = True
            return real_init_app(extension, app)

        module.SQLAlchemy.init_app = init_app
