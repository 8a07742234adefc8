"""Finds the project: its Alembic environment, the folder it runs in, its interpreter and its import path.

locate              from settings to a project (model): search, search_errors, same_history, flask
alembic_config      the configuration, read without Alembic: script_location, version_locations
interpreter_choice  which interpreter runs it; interpreter: what is installed for it
import_path         the folders that must be importable
environment_variables   the variables that it reads: variable_reads, settings_classes,
                    dynaconf_validators
env_files           a file of the repository that has values for variables
python_source       a file of the project as a syntax tree
"""

from migration_gate.project.locate import find_project
from migration_gate.project.model import Project

__all__ = ["Project", "find_project"]
