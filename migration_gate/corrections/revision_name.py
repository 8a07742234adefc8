"""The name of a new revision's file, as `alembic revision` would give it."""

from __future__ import annotations

import os
from datetime import datetime

from migration_gate.config.settings import Settings
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.alembic_config import read_file_template
from migration_gate.project.locate import locate_environment

ALEMBIC_TEMPLATE = "%(rev)s_%(slug)s"
INI_OF_FLASK = "alembic.ini"
TOML_FILE = "pyproject.toml"


@dataclass(frozen=True, slots=True)
class RevisionNames:
    """How the project names the files of its revisions."""

    template: str = ALEMBIC_TEMPLATE
    """its `file_template`; what stands before a slash in it are folders of the version location"""

    @property
    def has_folders(self) -> bool:
        """Whether files are put into folders of the version location."""
        return "/" in self.template

    def name_file(self, identifier: str, slug: str, now: datetime) -> str:
        """The name of a file, below the folder of the revisions.

        Alembic's own where the template is none, or has no `rev`: the file might be there already.
        """
        values = {"rev": identifier, "slug": slug, "epoch": int(now.timestamp())}
        values |= {name: getattr(now, name) for name in ("year", "month", "day", "hour", "minute", "second")}
        try:
            return f"{(self.template if '%(rev)' in self.template else ALEMBIC_TEMPLATE) % values}.py"
        except (KeyError, ValueError, TypeError):
            return f"{ALEMBIC_TEMPLATE % values}.py"


def read_revision_names(settings: Settings) -> RevisionNames:
    """From the project's configuration. Raises ProjectNotFound if there is none."""
    environment = locate_environment(settings, os.environ)
    config = environment.config
    if config is not None and config.is_dir():
        config /= INI_OF_FLASK
    # As for Alembic: what the ini leaves out may be in the TOML file.
    for file in filter(None, (config, environment.directory / TOML_FILE)):
        template = read_file_template(file, environment.section)
        if template:
            return RevisionNames(template)
    return RevisionNames()
