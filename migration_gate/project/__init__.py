"""Finds the project: its Alembic environment, the folder it runs in, its interpreter and its import path."""

from migration_gate.project.finding import find
from migration_gate.project.found import Project

__all__ = ["Project", "find"]
