"""Finds the project: its Alembic environment, the folder it runs in, its interpreter and its import path."""

from migration_gate.project.locate import find_project
from migration_gate.project.model import Project

__all__ = ["Project", "find_project"]
