"""Whole reports for the golden files: a blocked run, a clean one, a failed replay, a hostile project."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from migration_gate.checks import (
    drift,
    failing_upgrade,
    nullable_owner,
    raw_sql_file,
    several_heads,
    silent_upgrade,
    uncascaded_owner,
    unindexed_owner,
    unreferenced_owner,
)
from migration_gate.config.settings import Allowance, Settings
from migration_gate.facts import (
    Failure,
    Location,
    ModelLocation,
    Models,
    Owners,
    Snapshot,
    SoftwareVersion,
    SqlFile,
    StageTime,
    Statement,
    Tree,
)
from migration_gate.verdict.judge import judge_findings
from migration_gate.verdict.outcome import Problem, ProjectReport, Report
from tests.support import fact_builders

VERSIONS = (
    SoftwareVersion("python", "3.12.1"),
    SoftwareVersion("alembic", "1.16.2"),
    SoftwareVersion("sqlalchemy", "2.0.43"),
    SoftwareVersion("postgres", "15.18"),
)
MODEL = ModelLocation("public.users", Location("app/models.py", 9))
SERVER = "local, PostgreSQL 15.18 (/usr/lib/postgresql/15/bin)"
MEDIA_KEY = "owner_id -> users.id"
REPORTED_CHECKS = (
    raw_sql_file,
    several_heads,
    failing_upgrade,
    silent_upgrade,
    drift,
    nullable_owner,
    unreferenced_owner,
    uncascaded_owner,
    unindexed_owner,
)
"""the checks that these reports show; fixed, so that a new check changes none of them"""
HOSTILE = "users\x1b[2J\u202e::error::</summary><script>alert(1)</script>|`*[x](https://x.test)@all\n# h"


def settings(name: str, **fields: object) -> Settings:
    """Default settings of a project."""
    return Settings(name, Path("/project"), Path("/project"), **fields)  # type: ignore[arg-type]


def blocked() -> ProjectReport:
    """A project with a finding of most checks, one of them allowed."""
    graph = fact_builders.make_history(
        fact_builders.make_revision("a1c3"),
        fact_builders.make_revision("b2d4", "a1c3", message="media belongs to users"),
        fact_builders.make_revision("c3e5", "b2d4", message="add ratings"),
        fact_builders.make_revision("d4f6", "b2d4", message="add tags"),
    )
    swallowed = (
        fact_builders.make_statement("ALTER TABLE users ADD nick text", line=15, error="column exists"),
    )
    steps_run = tuple(
        replace(step, statements=swallowed if step.revision == "d4f6" else ())
        for step in fact_builders.make_steps(graph)
    )
    facts = fact_builders.make_replay_facts(
        graph,
        steps=steps_run,
        ddl_commands=(
            fact_builders.make_ddl_command(1, "users", "id integer NOT NULL", oid=1),
            fact_builders.make_ddl_command(
                2, "media_items", "id integer NOT NULL", "owner_id integer", oid=2
            ),
        ),
        catalog=fact_builders.join_tables(
            fact_builders.make_table("users", *fact_builders.USERS, oid=1),
            fact_builders.make_table(
                "media_items", "id integer NOT NULL", "owner_id integer", "owner_id -> users.id", oid=2
            ),
        ),
        differences=_differences(),
        models=Models(("public.users",), 1, locations=(MODEL,)),
        versions=VERSIONS,
        notes=("DATABASE_URL was set to a made-up value: the project's settings ask for one.",),
        stage_times=(
            StageTime("find", 0.02),
            StageTime("postgres", 0.11),
            StageTime("replay", 0.84),
            StageTime("models", 0.2),
        ),
        arrived_heads=("c3e5", "d4f6"),
    )
    tree = Tree(sql_files=(SqlFile("sql/init.sql", ("schema",), "CREATE TABLE old (id int)", 3, ("old",)),))
    project_settings = settings(
        "media-library",
        allowances=(Allowance("unindexed-owner", "small table", where=".migration-gate.yml:4"),),
    )
    facts = replace(facts, project="media-library", tree=tree)
    verdicts = judge_findings(facts, project_settings, REPORTED_CHECKS, today=date(2026, 1, 1))
    return ProjectReport("media-library", facts, verdicts, postgres=SERVER, seconds=1.23)


def _differences() -> tuple[object, ...]:
    upgrade = 'op.alter_column("users", "email", existing_type=sa.Text(), nullable=False)'
    downgrade = upgrade.replace("False", "True")
    return (
        replace(
            fact_builders.make_difference("nullability", "users.email", "email text", "email text NOT NULL"),
            upgrade=upgrade,
            downgrade=downgrade,
            revision="a1c3",
            table="public.users",
        ),
        replace(
            fact_builders.make_difference("table", "ratings", None, "table ratings"), table="public.users"
        ),
        fact_builders.make_difference("name-only", "ix_users_email", "ix_users_email", "users_email_idx"),
        replace(fact_builders.make_difference("unmanaged", "active_users", "...", None), object_noun="view"),
        replace(
            fact_builders.make_difference("unmanaged", "touch on users", "...", None), object_noun="trigger"
        ),
    )


def clean() -> ProjectReport:
    """Nothing to say."""
    facts = replace(fact_builders.make_owner_facts(owners=Owners()), project="clean")
    facts = replace(facts, replay=replace(facts.replay, versions=VERSIONS))
    return ProjectReport(
        "clean", facts, judge_findings(facts, settings("clean"), REPORTED_CHECKS), seconds=0.5
    )


def failing() -> ProjectReport:
    """A revision that Postgres refused, and what the project printed."""
    first = Failure(
        'relation "queries" does not exist',
        "UndefinedTable",
        "42P01",
        statement="UPDATE queries\nSET version = 1\nWHERE version IS NULL",
        revision="c3",
        location=Location("migrations/versions/c3.py", 21),
        hint="Look\x1b]0;title\x07 here",
    )
    last = Failure(
        "current transaction is aborted", "InFailedSqlTransaction", "25P02", revision="c3", first_error=first
    )
    graph = fact_builders.make_chain("a1", "b2", "c3")
    output = "connecting\n\x1b[31mred\x1b[0m\n"
    steps_run = fact_builders.make_steps(graph)[:2]
    facts = fact_builders.make_replay_facts(
        graph, failure=last, steps=steps_run, output=output, versions=VERSIONS
    )
    verdicts = judge_findings(facts, settings("failing"), REPORTED_CHECKS)
    return ProjectReport("failing", facts, verdicts, postgres=SERVER, seconds=0.4)


def broken() -> ProjectReport:
    """A project that could not be examined."""
    problem = Problem(
        "The project's env.py did not load: No module named 'app.settings'",
        "Set `python:` to the interpreter of the project's environment.",
        "migrations/env.py:3",
        "Traceback (most recent call last):\n  ...\nModuleNotFoundError: No module named 'app.settings'",
        kind="ProjectNotImported",
    )
    return ProjectReport("billing", problem=problem)


def hostile() -> ProjectReport:
    """Names, messages and output that try to act on whoever shows them."""
    graph = fact_builders.make_history(
        replace(fact_builders.make_revision("a1", message=HOSTILE), location=Location(f"{HOSTILE}.py", 1))
    )
    statement = Statement(f"SELECT '{HOSTILE}'", 0.1, 3, error=Failure(HOSTILE, sqlstate="42P01"))
    facts = fact_builders.make_replay_facts(
        graph,
        steps=tuple(replace(step, statements=(statement,)) for step in fact_builders.make_steps(graph)),
        ddl_commands=(fact_builders.make_ddl_command(1, "x", "owner_id text", oid=5),),
        catalog=Snapshot(
            tables=fact_builders.make_table("x", oid=5).tables,
            columns=fact_builders.make_table("x", "owner_id text").columns,
        ),
        differences=(fact_builders.make_difference("table", HOSTILE, HOSTILE, None),),
        notes=(HOSTILE,),
    )
    project_settings = settings("hostile", allowances=(Allowance("unindexed-owner", f"because {HOSTILE}"),))
    facts = replace(facts, project=HOSTILE)
    verdicts = judge_findings(facts, project_settings, REPORTED_CHECKS)
    return ProjectReport(HOSTILE, facts, verdicts, postgres=HOSTILE, seconds=0.1)


def report(*projects: ProjectReport) -> Report:
    """A run over these projects."""
    return Report(projects, 1.5, "0.1.0")
