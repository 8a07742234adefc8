"""What to do for the release that is live is something that can be done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.analysis.running_code_messages import describe_two_releases
from migration_gate.facts import Base, Facts, RefusalCause, RefusedStatement, Replay
from tests.support import fact_builders


@pytest.mark.parametrize(("default", "is_kept"), [("nextval('items_id_seq'::regclass)", True), (None, False)])
def test_a_default_that_goes_is_kept_and_its_column_is_not_made_nullable(
    default: str | None, is_kept: bool
) -> None:
    earlier = fact_builders.make_table("items", "id integer NOT NULL", "primary key id")
    columns = tuple(replace(column, default=default) for column in earlier.columns)
    base_facts = Facts(replay=Replay(catalog=replace(earlier, columns=columns)))
    facts = Facts(replay=Replay(catalog=earlier), base=replace(Base("1" * 40, "main"), facts=base_facts))
    refused = RefusedStatement("public", "items", (), RefusalCause.REQUIRED_COLUMN, (), "", "", "id")
    fix = describe_two_releases(facts, refused)
    assert (f"keeps its default, `{default}`" in fix) == is_kept
    assert ("nullable=True" in fix) != is_kept


@pytest.mark.parametrize(
    ("type_name", "condition"),
    [
        ("text", "body IS DISTINCT FROM title LIMIT"),
        ("json", "body::text IS DISTINCT FROM title::text LIMIT"),
        ("point[]", "body::text IS DISTINCT FROM title::text LIMIT"),
    ],
)
def test_what_the_live_release_changes_after_the_copy_is_copied_again(type_name: str, condition: str) -> None:
    earlier, later = (fact_builders.make_table("items", f"{name} {type_name}") for name in ("title", "body"))
    base_facts = Facts(replay=Replay(catalog=earlier))
    facts = Facts(replay=Replay(catalog=later), base=replace(Base("1" * 40, "main"), facts=base_facts))
    refused = RefusedStatement("public", "items", (), RefusalCause.MISSING_COLUMN, (), "", "", "title")
    assert condition in describe_two_releases(facts, refused)
