"""What the project declares beside its models is in the one revision, where that ran both ways."""

from __future__ import annotations

import pytest

from migration_gate.facts import DriftRevision
from tests.support.empty_pass import describe_report, judge_project
from tests.support.replay_engine import Engine
from tests.support.user_project import ENV, MODELS

pytestmark = pytest.mark.slow

DECLARE_VIEW = """
from alembic.autogenerate import comparators, renderers
from alembic.operations import MigrateOperation, ops


class MakeView(MigrateOperation):
    def reverse(self):
        return DropView()


class DropView(MigrateOperation):
    def reverse(self):
        return MakeView()


@renderers.dispatch_for(MakeView)
def render_creation(context, operation):
    return "op.execute(\\"CREATE VIEW named AS SELECT name FROM item WHERE name LIKE 'a%'\\")"


@renderers.dispatch_for(DropView)
def render_drop(context, operation):
    return 'op.execute("DROP VIEW named")'


@comparators.dispatch_for("schema")
def compare_views(autogen_context, upgrade_ops, schemas):
    upgrade_ops.ops.append(MakeView())
"""
FUNCTION = '    upgrade_ops.ops.append(ops.ExecuteSQLOp("CREATE FUNCTION one() RETURNS int RETURN 1"))\n'
MODEL = MODELS.replace("String(50), ", "String(50), index=True, ")


def write_revision(engine: Engine, declared: str) -> DriftRevision:
    """The one revision of the clean project whose model has an index more, and which declares more."""
    report = judge_project(engine, {"env_py": declared + ENV, "models_py": MODEL}, {})
    revision = report.facts.replay.drift_revision
    assert revision is not None, describe_report(report)
    return revision


def test_a_declared_view_follows_the_fixes_of_the_models_and_goes_first(engine: Engine) -> None:
    revision = write_revision(engine, DECLARE_VIEW)
    assert (revision.differences, revision.left_out) == (2, ())
    assert revision.upgrade.splitlines() == [
        "op.create_index(op.f('ix_item_name'), 'item', ['name'], unique=False)",
        "op.execute(\"CREATE VIEW named AS SELECT name FROM item WHERE name LIKE 'a%'\")",
    ]
    assert revision.downgrade.splitlines()[0] == 'op.execute("DROP VIEW named")'


def test_what_has_no_way_back_is_named_as_left_out(engine: Engine) -> None:
    revision = write_revision(engine, DECLARE_VIEW + FUNCTION)
    assert revision.differences == 2
    assert revision.left_out == ("one()",)


LOOK_EVERYWHERE = """
from alembic.autogenerate import comparators
from alembic.operations import ops


@comparators.dispatch_for("schema")
def drop_strangers(autogen_context, upgrade_ops, schemas):
    for schema in autogen_context.inspector.get_schema_names():
        if schema not in ("public", "information_schema"):
            upgrade_ops.ops.append(ops.ExecuteSQLOp("DROP SCHEMA " + schema))
"""


def test_a_comparison_of_all_schemas_sees_nothing_of_the_gates_own(engine: Engine) -> None:
    report = judge_project(engine, {"env_py": LOOK_EVERYWHERE + ENV}, {})
    assert not report.facts.replay.differences, describe_report(report)
