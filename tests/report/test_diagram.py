"""The Mermaid of the summary: what it shows, how large it gets, and what a name cannot do to it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration_gate.facts import Column, History, Snapshot, Table
from migration_gate.report import history_diagram, table_diagram
from migration_gate.report.mermaid import escape_label
from migration_gate.verdict.outcome import ProjectReport
from tests.support import example_reports, fact_builders

NODE = re.compile(r"^  (r\d+|older)[(\[]", re.MULTILINE)


def test_a_history_without_forks_has_no_chart() -> None:
    assert history_diagram.render_history(fact_builders.make_chain(*(f"r{n}" for n in range(50)))) == ""
    assert history_diagram.render_history(History()) == ""


def test_two_heads_are_drawn_down_to_their_fork() -> None:
    graph = fact_builders.make_history(
        fact_builders.make_revision("a"),
        fact_builders.make_revision("b", "a"),
        fact_builders.make_revision("c", "b"),
        fact_builders.make_revision("d", "b", message='say "hi"'),
    )
    assert history_diagram.render_history(graph) == "\n".join(
        [
            "flowchart LR",
            '  r0["d<br/>say #34;hi#34;"]:::head',
            '  r1["c<br/>step c"]:::head',
            '  r2["b<br/>step b"]',
            "  r2 --> r0",
            "  r2 --> r1",
            "  older --> r2",
            '  older(["1 older revision"])',
            "  classDef head stroke-width:3px,stroke:#cf222e",
        ]
    )


def test_a_long_line_without_forks_is_one_node_and_older_revisions_are_counted() -> None:
    line = [fact_builders.make_revision(f"m{n}", f"m{n - 1}" if n else "fork") for n in range(30)]
    old = [fact_builders.make_revision(f"o{n}", *([f"o{n - 1}"] if n else [])) for n in range(20)]
    graph = fact_builders.make_history(
        *old, fact_builders.make_revision("fork", "o19"), fact_builders.make_revision("side", "fork"), *line
    )
    text = history_diagram.render_history(graph)
    assert '(["28 revisions"])' in text
    assert 'older(["20 older revisions"])' in text
    assert len(NODE.findall(text)) < 10


def test_a_recent_merge_is_drawn_and_an_old_one_is_not() -> None:
    merged = [
        fact_builders.make_revision("a"),
        fact_builders.make_revision("b", "a"),
        fact_builders.make_revision("c", "a"),
        fact_builders.make_revision("m", "b", "c"),
    ]
    assert "r0" in history_diagram.render_history(fact_builders.make_history(*merged))
    later = [fact_builders.make_revision(f"n{n}", f"n{n - 1}" if n else "m") for n in range(20)]
    assert history_diagram.render_history(fact_builders.make_history(*merged, *later)) == ""


@pytest.mark.parametrize("heads", [2, 50, 300])
def test_the_number_of_nodes_is_limited(heads: int) -> None:
    graph = fact_builders.make_history(
        fact_builders.make_revision("root"),
        *(fact_builders.make_revision(f"h{n}", "root") for n in range(heads)),
    )
    text = history_diagram.render_history(graph)
    assert len(NODE.findall(text)) <= history_diagram.MAX_NODES + 1


def test_several_roots_and_missing_parents_can_be_drawn() -> None:
    graph = fact_builders.make_history(
        fact_builders.make_revision("a"),
        fact_builders.make_revision("b"),
        fact_builders.make_revision("c", "nowhere"),
    )
    assert "older" in history_diagram.render_history(graph)


@given(st.text(max_size=60))
def test_a_name_cannot_end_its_label(name: str) -> None:
    shown = escape_label(name)
    assert not re.search(r'["\n\r`<>&\[\]{}|\\%]', shown)
    assert all(re.fullmatch(r"\d+", part.partition(";")[0]) for part in shown.split("#")[1:])


def tables(catalog: Snapshot) -> str:
    facts = fact_builders.make_replay_facts(
        fact_builders.make_chain("a"),
        catalog=catalog,
        ddl_commands=(fact_builders.make_ddl_command(1, "x", oid=1),),
    )
    return table_diagram.render_tables(ProjectReport("p", facts))


def test_tables_of_findings_are_drawn_with_their_keys_and_references() -> None:
    text = table_diagram.render_tables(example_reports.blocked())
    assert 't0["users"] {' in text
    assert 'integer owner_id FK "null, see findings"' in text
    assert re.search(r't\d+ }o--o\| t\d+ : "owner_id"', text)


def test_without_findings_the_tables_of_the_newest_revision_are_drawn() -> None:
    assert 't0["x"] {' in tables(fact_builders.make_table("x", "id integer NOT NULL", oid=1))
    assert tables(fact_builders.make_table("y", "id integer NOT NULL", oid=2)) == ""


def test_the_number_of_columns_is_limited() -> None:
    wide = fact_builders.make_table("x", *(f"c{n} integer" for n in range(100)), oid=1)
    text = tables(wide)
    assert f'"{100 - table_diagram.MAX_COLUMNS} more columns"' in text
    assert text.count("integer c") == table_diagram.MAX_COLUMNS


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("character varying(320)", "varchar_320"),
        ("timestamp with time zone", "timestamptz"),
        ("numeric(10,2)[]", "numeric_10_2_array"),
        ('public."we""ird } type"', "public_we_ird_type"),
        ("日本", "x"),
        ("1x", "x1x"),
    ],
)
def test_a_type_becomes_one_word(written: str, shown: str) -> None:
    column = Column("public", "x", "a", written, nullable=False, position=1, number=1)
    assert f"    {shown} a\n" in tables(Snapshot(tables=(Table("public", "x", oid=1),), columns=(column,)))


@given(st.text(min_size=1, max_size=40))
def test_a_column_name_cannot_break_the_diagram(name: str) -> None:
    column = Column("public", "x", name, name, position=1, number=1)
    table = Table("public", name, oid=1)
    lines = tables(Snapshot(tables=(table,), columns=(replace(column, table=name),))).split("\n")
    assert len(lines) == 4
    assert re.fullmatch(r"    [A-Za-z]\w* [A-Za-z]\w* \"[^\"]*\"", lines[2], re.ASCII)
