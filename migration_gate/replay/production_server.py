"""The Postgres of production, for `postgres: auto`: its major, its image, and the extensions in use."""

from __future__ import annotations

import re

from migration_gate.config.settings import Settings
from migration_gate.postgres.server_search import OLDEST_MAJOR, ProductionServer
from migration_gate.scan.production_postgres import find_needed_extensions, find_production_postgres

PUBLIC_IMAGE = re.compile(r"(?:postgres|(?:postgis/postgis|pgvector/pgvector|timescale/[\w-]+)):[\w.-]+")
"""images that anybody can pull, and that work as the official one does"""


def find_production_server(settings: Settings) -> ProductionServer | None:
    """The server that the repository's files name; None if none does, or `postgres:` is not `auto`."""
    if settings.postgres != "auto":
        return None
    mentions = find_production_postgres(settings.root)
    mention = next((mention for mention in mentions if mention.major >= OLDEST_MAJOR), None)
    if mention is None:
        return None
    image = mention.image if PUBLIC_IMAGE.fullmatch(mention.image) else f"postgres:{mention.major}"
    return ProductionServer(mention.major, image, mention.place, find_needed_extensions(settings.root))
