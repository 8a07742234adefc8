"""The five checks on owner columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migration_gate.check import Evidence, Finding, Severity
from migration_gate.checks import (
    missing_owner,
    nullable_owner,
    uncascaded_owner,
    unindexed_owner,
    unreferenced_owner,
)
from migration_gate.config.settings import CheckSeverity, Settings
from migration_gate.facts import Base, Constraint, Facts, Location, NullTrial, Owners, Snapshot
from migration_gate.verdict.judge import judge_findings
from tests.support.fact_builders import (
    join_tables,
    make_chain,
    make_ddl_command,
    make_failure_facts,
    make_owner_facts,
    make_table,
)

OWNER_CHECKS = (nullable_owner, missing_owner, unreferenced_owner, uncascaded_owner, unindexed_owner)
MEDIA = ("id integer NOT NULL", "owner_id integer NOT NULL", "owner_id -> users.id cascade", "index owner_id")


def list_findings(facts: Facts) -> list[tuple[str, str]]:
    """Check and object of every finding of the five checks."""
    return [
        (check.__name__.removeprefix("migration_gate.checks."), finding.object)
        for check in OWNER_CHECKS
        for finding in check.check(facts)
    ]


def get_single_finding(findings: Iterator[Finding]) -> Finding:
    """The finding, where there is exactly one."""
    (finding,) = findings
    return finding


def test_an_owner_column_with_a_cascading_key_and_an_index_is_no_finding() -> None:
    assert list_findings(make_owner_facts(make_table("media", *MEDIA))) == []


def test_a_table_without_an_owner_is_no_finding_unless_the_settings_ask_for_one() -> None:
    assert list_findings(make_owner_facts(make_table("tags", "id integer NOT NULL"))) == []


def test_an_owner_column_that_accepts_null_is_found_at_the_revision_that_allowed_null() -> None:
    media = make_table("media", "id integer NOT NULL", "owner_id integer", *MEDIA[2:], oid=7)
    ddl_commands = (
        make_ddl_command(1, "media", "id integer NOT NULL", "owner_id integer NOT NULL", oid=7),
        make_ddl_command(2, "media", "id integer NOT NULL", "owner_id integer", oid=7, tag="ALTER TABLE"),
    )
    finding = get_single_finding(nullable_owner.check(make_owner_facts(media, ddl_commands=ddl_commands)))
    assert finding.object == "media.owner_id"
    assert finding.revision == "b2"
    assert finding.location == Location("migrations/versions/b2.py", 12)
    assert Evidence("column", "owner_id integer NULL") in finding.evidence
    assert 'op.alter_column("media", "owner_id", nullable=False)' in finding.fix
    assert "UPDATE media SET owner_id = ... WHERE owner_id IS NULL" in finding.fix


def test_the_fix_of_a_column_that_is_set_null_on_delete_says_that_it_is_nullable_by_design() -> None:
    media = make_table("media", "owner_id integer", "owner_id -> users.id set null", "index owner_id")
    finding = get_single_finding(nullable_owner.check(make_owner_facts(media)))
    assert "nullable by design" in finding.fix
    assert "allow it with the reason" in finding.fix


def with_trial(facts: Facts, **fields: Any) -> Facts:
    """The facts, with what Postgres did with rows of `media` without an owner."""
    values = {"is_refused": False, **fields}
    trial = NullTrial("public", "media", "owner_id", **values)
    return replace(facts, replay=replace(facts.replay, null_trials=(trial,)))


def test_a_column_in_which_postgres_takes_no_row_without_an_owner_is_as_good_as_not_null() -> None:
    media = make_table("media", "owner_id integer", "check (owner_id IS NOT NULL)", *MEDIA[2:])
    assert list_findings(with_trial(make_owner_facts(media), is_refused=True)) == []


def test_a_check_that_says_nothing_of_null_is_shown_with_a_row_that_postgres_takes() -> None:
    media = make_table("media", "owner_id integer", "check (owner_id > 0)", *MEDIA[2:])
    facts = with_trial(make_owner_facts(media), accepted_row="team_id IS NULL")
    finding = get_single_finding(nullable_owner.check(facts))
    assert Evidence("accepted", "owner_id IS NULL and team_id IS NULL") in finding.evidence
    assert "nullable=False" in finding.fix


def test_where_a_check_demands_null_the_fix_is_the_allowance() -> None:
    media = make_table("media", "owner_id integer", *MEDIA[2:])
    demand = {"demanding_row": "kind = 'system'", "demanded_by": "media_kind: CHECK (…)"}
    facts = with_trial(make_owner_facts(media), accepted_row="kind = 'system'", **demand)
    finding = get_single_finding(nullable_owner.check(facts))
    assert Evidence("NULL demanded", "where kind = 'system', by media_kind: CHECK (…)") in finding.evidence
    assert "# migration-gate: allow nullable-owner -- " in finding.fix
    assert "nullable=False" not in finding.fix
    assert "UPDATE" not in finding.fix


@pytest.mark.parametrize("name", ["like", "full", "user", "lateral"])
def test_a_table_whose_name_is_a_keyword_is_quoted_in_sql(name: str) -> None:
    finding = get_single_finding(nullable_owner.check(make_owner_facts(make_table(name, "owner_id integer"))))
    assert f'UPDATE \\"{name}\\" SET owner_id = ...' in finding.fix


def test_a_column_in_camel_case_is_an_owner_and_is_quoted_in_sql() -> None:
    finding = get_single_finding(
        nullable_owner.check(make_owner_facts(make_table("media", "ownerId integer")))
    )
    assert 'UPDATE media SET \\"ownerId\\" = ...' in finding.fix


def test_a_table_in_another_schema_is_named_with_it_and_the_fix_has_the_schema() -> None:
    finding = get_single_finding(
        nullable_owner.check(make_owner_facts(make_table("media", "owner_id integer", schema="app")))
    )
    assert finding.object == "app.media.owner_id"
    assert 'schema="app"' in finding.fix
    assert "UPDATE app.media" in finding.fix


def test_owner_columns_can_be_named_by_a_pattern() -> None:
    facts = make_owner_facts(make_table("media", "tenant_id integer"), owners=Owners(columns=("*tenant_id",)))
    assert ("nullable_owner", "media.tenant_id") in list_findings(facts)


@pytest.mark.parametrize("pattern", ["media", "med*", "public.media", "media.owner_id", "*.owner_id"])
def test_an_exempt_table_or_column_needs_no_owner(pattern: str) -> None:
    facts = make_owner_facts(make_table("media", "owner_id integer"), owners=Owners(exempt=(pattern,)))
    assert list_findings(facts) == []


def test_a_partition_is_checked_through_its_parent_only() -> None:
    media = make_table("media_2026", "owner_id integer")
    part = replace(media, tables=(replace(media.tables[0], partition_bound="FOR VALUES IN (1)"),))
    assert list_findings(make_owner_facts(part)) == []


def test_a_foreign_table_is_not_checked() -> None:
    media = make_table("media", "owner_id integer")
    assert (
        list_findings(
            make_owner_facts(replace(media, tables=(replace(media.tables[0], kind="foreign table"),)))
        )
        == []
    )


def test_the_owners_own_table_needs_no_owner() -> None:
    facts = make_owner_facts(
        make_table("members", "owner_id integer"), owners=Owners(references="members", tables=("*",))
    )
    assert ("nullable_owner", "members.owner_id") not in list_findings(facts)
    assert ("missing_owner", "members") not in list_findings(facts)


def test_a_foreign_key_to_the_owners_serves_where_no_column_has_the_name() -> None:
    notes = make_table("notes", "author_id integer", "author_id -> users.id cascade", "index author_id")
    facts = make_owner_facts(notes, owners=Owners(references="users"))
    assert list_findings(facts) == [("nullable_owner", "notes.author_id")]


def test_a_reviewer_beside_the_author_is_no_owner() -> None:
    notes = make_table(
        "notes",
        "author_id integer NOT NULL",
        "reviewer_id integer",
        "author_id -> users.id cascade",
        "reviewer_id -> users.id",
        "index author_id",
    )
    assert list_findings(make_owner_facts(notes, owners=Owners(references="users"))) == []


def test_a_named_table_without_an_owner_column_is_found_with_the_column_to_add() -> None:
    facts = make_owner_facts(
        make_table("invoices", "id integer NOT NULL", "total numeric"), owners=Owners(tables=("inv*",))
    )
    finding = get_single_finding(missing_owner.check(facts))
    assert finding.object == "invoices"
    assert finding.evidence == (
        Evidence("columns", "id, total"),
        Evidence("because", "`owners.tables` names it by `inv*`"),
    )
    assert "op.add_column(" in finding.fix
    assert 'sa.Column("owner_id", sa.Integer(), sa.ForeignKey("users.id", ondelete="CASCADE"))' in finding.fix


def test_every_table_that_references_users_can_be_asked_for_an_owner() -> None:
    notes = make_table("notes", "id integer NOT NULL", "author_id integer", "author_id -> users.id")
    link = make_table(
        "likes", "user_id integer", "note_id integer", "user_id -> users.id", "note_id -> notes.id"
    )
    owners = Owners(references="users", every_reference=True)
    findings = list_findings(make_owner_facts(notes, link, owners=owners))
    assert ("missing_owner", "notes") in findings
    assert ("missing_owner", "likes") not in findings, "a row that only links two others belongs to nobody"
    assert ("nullable_owner", "likes.user_id") in findings


def test_an_owner_column_without_a_foreign_key_is_found() -> None:
    facts = make_owner_facts(make_table("media", "owner_id integer NOT NULL", "index owner_id"))
    finding = get_single_finding(unreferenced_owner.check(facts))
    assert finding.message == "`media.owner_id` has no foreign key"
    assert 'op.create_foreign_key(\n        "media_owner_id_fkey",' in finding.fix
    assert 'ondelete="CASCADE"' in finding.fix


def test_a_column_of_another_type_than_the_owners_key_has_to_change_first() -> None:
    facts = make_owner_facts(make_table("media", "owner_id uuid NOT NULL", "index owner_id"))
    fix = get_single_finding(unreferenced_owner.check(facts)).fix
    assert "and giving `media.owner_id` the type of `users.id`, integer:" in fix


def test_the_key_of_owners_that_nothing_references_yet_is_their_primary_key() -> None:
    media = make_table("media", "owner_id uuid NOT NULL", "index owner_id")
    people = make_table("People", "Key integer NOT NULL", "primary key Key", schema="Auth")
    facts = make_owner_facts(media, people, owners=Owners(references="Auth.People"))
    fix = get_single_finding(unreferenced_owner.check(facts)).fix
    assert "the type of `Auth.People.Key`, integer:" in fix
    assert 'referent_schema="Auth"' in fix
    facts = make_owner_facts(media, people, owners=Owners(references="Auth.Persons"))
    fix = get_single_finding(unreferenced_owner.check(facts)).fix
    assert fix.startswith(
        "`owners.references` names `Auth.Persons`, and the migrations make no `Auth.Persons.id`"
    )


@pytest.mark.parametrize(
    ("column", "type_column"),
    [("owner_id", "owner_type"), ("owner_id", "owner_kind"), ("owner_uuid", "owner_type")],
)
def test_no_foreign_key_is_possible_where_a_column_says_which_table_the_owner_is_in(
    column: str, type_column: str
) -> None:
    lines = (f"{type_column} text NOT NULL", f"{column} integer NOT NULL", f"index {type_column}, {column}")
    assert list_findings(make_owner_facts(make_table("media", *lines), owners=Owners((column,)))) == []


def test_an_index_on_the_type_alone_finds_no_owner() -> None:
    media = make_table("media", "owner_type text NOT NULL", "owner_id integer NOT NULL", "index owner_type")
    assert list_findings(make_owner_facts(media)) == [("unindexed_owner", "media.owner_id")]


def test_the_type_of_a_user_is_no_table() -> None:
    media = make_table("media", "user_type text NOT NULL", "user_id integer NOT NULL", "index user_id")
    facts = make_owner_facts(media, owners=Owners(("user_id",)))
    finding = get_single_finding(unreferenced_owner.check(facts))
    assert "If `media.user_type` says which table it means" in finding.fix


def test_an_owner_column_that_references_the_wrong_table_is_found() -> None:
    media = make_table("media", "owner_id integer NOT NULL", "owner_id -> teams.id cascade", "index owner_id")
    finding = get_single_finding(
        unreferenced_owner.check(make_owner_facts(media, owners=Owners(references="users")))
    )
    assert finding.message == "`media.owner_id` references `teams`, not `users`"
    assert finding.fix.endswith("If it is meant to reference `teams` alone, allow it instead.")


def test_a_foreign_key_over_two_columns_references_the_owner_too() -> None:
    media = make_table("media", "tenant_id integer NOT NULL", "owner_id integer NOT NULL", "index owner_id")
    key = Constraint(
        "public",
        "media",
        "k",
        "foreign key",
        "FOREIGN KEY (tenant_id, owner_id) REFERENCES public.users(tenant_id, id) ON DELETE CASCADE",
        ("tenant_id", "owner_id"),
        references="public.users",
        referenced_columns=("tenant_id", "id"),
        on_delete="cascade",
    )
    assert list_findings(make_owner_facts(replace(media, constraints=(key,)))) == []
    whole = (replace(media.indexes[0], columns=("tenant_id", "owner_id")),)
    assert list_findings(make_owner_facts(replace(media, constraints=(key,), indexes=whole))) == []


def test_a_foreign_key_without_on_delete_is_a_warning_with_the_key_to_recreate() -> None:
    media = make_table("media", "owner_id integer NOT NULL", "owner_id -> users.id", "index owner_id")
    finding = get_single_finding(uncascaded_owner.check(make_owner_facts(media)))
    assert uncascaded_owner.SEVERITY is Severity.WARNING
    assert finding.message == "`media.owner_id` references its owner with ON DELETE NO ACTION, not CASCADE"
    assert 'op.drop_constraint("media_owner_id_fkey", "media", type_="foreignkey")' in finding.fix


def test_the_right_on_delete_is_configurable() -> None:
    media = make_table(
        "media", "owner_id integer NOT NULL", "owner_id -> users.id restrict", "index owner_id"
    )
    assert list_findings(make_owner_facts(media, owners=Owners(on_delete=("restrict", "cascade")))) == []


@pytest.mark.parametrize("line", ["unique index owner_id", "index owner_id, id"])
def test_an_index_that_starts_with_the_owner_serves(line: str) -> None:
    assert list_findings(make_owner_facts(make_table("media", *MEDIA[:3], line))) == []


@pytest.mark.parametrize(
    ("line", "label"), [("index id, owner_id", "index"), ("partial index owner_id", "partial index")]
)
def test_an_index_that_cannot_find_every_owner_does_not_serve(line: str, label: str) -> None:
    finding = get_single_finding(
        unindexed_owner.check(make_owner_facts(make_table("media", *MEDIA[:3], line)))
    )
    assert finding.evidence[0].label == label
    assert 'op.create_index("ix_media_owner_id", "media", ["owner_id"])' in finding.fix


def test_an_invalid_index_does_not_serve() -> None:
    media = make_table("media", *MEDIA)
    broken = replace(media, indexes=(replace(media.indexes[0], valid=False),))
    assert (
        get_single_finding(unindexed_owner.check(make_owner_facts(broken))).evidence[0].label
        == "invalid index"
    )


def test_a_partial_index_over_all_that_have_an_owner_serves() -> None:
    media = make_table("media", *MEDIA)
    index = replace(media.indexes[0], partial=True, definition="... WHERE (owner_id IS NOT NULL)")
    assert list_findings(make_owner_facts(replace(media, indexes=(index,)))) == []


@pytest.mark.slow
def test_a_large_database_without_problems_has_no_findings() -> None:
    tables = [make_table(f"t{number}", *MEDIA, *(f"c{c} text" for c in range(30))) for number in range(600)]
    facts = make_owner_facts(join_tables(*tables))
    assert list_findings(facts) == []
    assert list_findings(replace(facts, replay=replace(facts.replay, catalog=Snapshot()))) == []


def judge_uncascaded(facts: Facts, **configured: Severity) -> list[Severity]:
    """The severities of the verdicts of uncascaded-owner; `configured` is that of the check."""
    settings = Settings(
        name="library",
        root=Path(),
        working_directory=Path(),
        checks=tuple(CheckSeverity("uncascaded-owner", severity) for severity in configured.values()),
    )
    verdicts = judge_findings(facts, settings, (uncascaded_owner,))
    return [verdict.severity for verdict in verdicts]


UNCASCADED = make_table("media", "owner_id integer NOT NULL", "owner_id -> users.id", "index owner_id", oid=7)


@pytest.mark.parametrize(
    ("base", "severity"),
    [
        (None, Severity.WARNING),
        (Base("", "nothing differs"), Severity.WARNING),
        (Base("c0ffee", "it", failure="It did not import."), Severity.WARNING),
        (Base("c0ffee", "it", is_unchanged=True), Severity.WARNING),
        (Base("c0ffee", "it", make_owner_facts(UNCASCADED)), Severity.WARNING),
        (Base("c0ffee", "it", make_failure_facts("no")), Severity.WARNING),
        (Base("c0ffee", "it", make_owner_facts()), Severity.ERROR),
        (Base("c0ffee", "it", is_new_project=True), Severity.ERROR),
    ],
)
def test_no_cascade_is_an_error_in_a_table_that_the_change_makes(
    base: Base | None, severity: Severity
) -> None:
    facts = replace(make_owner_facts(UNCASCADED), base=base)
    assert judge_uncascaded(facts) == [severity]
    assert judge_uncascaded(facts, configured=Severity.WARNING) == [Severity.WARNING]


def test_a_configured_error_is_one_for_old_tables_too() -> None:
    assert judge_uncascaded(make_owner_facts(UNCASCADED), configured=Severity.ERROR) == [Severity.ERROR]


def test_a_table_that_the_change_only_renames_is_old() -> None:
    commands = (
        make_ddl_command(1, "files", "owner_id integer NOT NULL", oid=7),
        make_ddl_command(2, "media", "owner_id integer NOT NULL", oid=7, tag="ALTER TABLE"),
    )
    facts = make_owner_facts(UNCASCADED, ddl_commands=commands)
    base = make_owner_facts()
    base = replace(base, replay=replace(base.replay, history=make_chain("a1")))
    assert judge_uncascaded(replace(facts, base=Base("c0ffee", "it", base))) == [Severity.WARNING]
