"""An entity diagram of the tables that findings are about, for the summary.

The diagram holds no text of the project as it is: tables have names of ours, and labels are escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from migration_gate.facts import Column, Constraint, Facts, Snapshot, Table, display_name
from migration_gate.report.mermaid import LABEL_LENGTH, escape_label
from migration_gate.report.verdict_selection import standing_verdicts
from migration_gate.verdict.outcome import ProjectReport
from migration_gate.wording import count_noun

MAX_TABLES = 12
MAX_COLUMNS = 14
"""of one table"""
TYPE_ABBREVIATIONS = (
    (re.compile(r"^character varying"), "varchar"),
    (re.compile(r"^character\b"), "char"),
    (re.compile(r"^timestamp(\(\d\))? with time zone"), r"timestamptz\1"),
    (re.compile(r"^timestamp(\(\d\))? without time zone"), r"timestamp\1"),
    (re.compile(r"^double precision"), "double"),
    (re.compile(r"\[\]"), " array"),
)


def render_tables(project: ProjectReport) -> str:
    """The diagram as Mermaid: the tables of findings, then those that the newest revision changed."""
    catalog = project.facts.replay.catalog
    candidates = (*_tables_of_findings(project), *_tables_of_newest_revision(project.facts))
    tables = list(dict.fromkeys(candidates))[:MAX_TABLES]
    if not tables:
        return ""
    marked_objects = {verdict.finding.object for verdict in standing_verdicts(project.verdicts)}
    lines = ["erDiagram"]
    for number, table in enumerate(tables):
        lines.append(f'  t{number}["{escape_label(str(table))}"] {{')
        lines += [f"    {line}" for line in _draw_columns(catalog, table, marked_objects)]
        lines.append("  }")
    lines += _draw_references(catalog, tables)
    return "\n".join(lines)


def _tables_of_findings(project: ProjectReport) -> Iterator[Table]:
    """The table of each standing finding about a table, a part of one, or a difference in one."""
    tables = {str(table): table for table in project.facts.replay.catalog.tables}
    differences = project.facts.replay.differences
    table_of_object = {difference.object: difference.table for difference in differences if difference.table}
    for verdict in standing_verdicts(project.verdicts):
        name = verdict.finding.object
        schema, _, table = table_of_object.get(name, "").partition(".")
        for candidate in (name, name.rpartition(".")[0], display_name(schema, table)):
            if candidate in tables:
                yield tables[candidate]
                break


def _tables_of_newest_revision(facts: Facts) -> Iterator[Table]:
    tables = {table.oid: table for table in facts.replay.catalog.tables if table.oid}
    newest_step = facts.replay.steps[-1].number if facts.replay.steps else 0
    for command in facts.replay.ddl_commands:
        if newest_step and command.step == newest_step and command.oid in tables:
            yield tables[command.oid]


def _draw_columns(catalog: Snapshot, table: Table, marked_objects: set[str]) -> Iterator[str]:
    """The most important columns in their order in the table; the others are counted."""
    primary_key = catalog.primary_key_of(table)
    key_columns = {
        "PK": set(primary_key.columns if primary_key else ()),
        "FK": _referencing_columns(catalog.foreign_keys_of(table)),
    }

    def importance(column: Column) -> tuple[bool, bool, int]:
        is_key = any(column.name in names for names in key_columns.values())
        return (str(column) not in marked_objects, not is_key, column.position)

    columns = catalog.columns_of(table)
    shown = sorted(sorted(columns, key=importance)[:MAX_COLUMNS], key=lambda column: column.position)
    for column in shown:
        keys = [mark for mark, names in key_columns.items() if column.name in names]
        yield _draw_column(column, keys, is_marked=str(column) in marked_objects)
    if len(columns) > len(shown):
        yield f'and more "{count_noun(len(columns) - len(shown), "more column")}"'


def _referencing_columns(foreign_keys: Sequence[Constraint]) -> set[str]:
    return {column for foreign_key in foreign_keys for column in foreign_key.columns}


def _draw_column(column: Column, keys: Sequence[str], *, is_marked: bool) -> str:
    """Type, name, keys and a comment: `integer owner_id FK "null, see findings"`."""
    name = re.sub(r"\W", "_", column.name, flags=re.ASCII)
    comments = []
    if name != column.name:
        comments.append(escape_label(column.name))
    if column.nullable:
        comments.append("null")
    if is_marked:
        comments.append("see findings")
    words = [_type_word(column.type), _begin_with_letter(name)]
    if keys:
        words.append(", ".join(keys))
    if comments:
        words.append(f'"{", ".join(comments)}"')
    return " ".join(words)


def _type_word(type_name: str) -> str:
    """A type as one word, which is all that Mermaid accepts: `varchar_320`."""
    for pattern, abbreviation in TYPE_ABBREVIATIONS:
        type_name = pattern.sub(abbreviation, type_name)
    word = re.sub(r"\W+", "_", type_name[:LABEL_LENGTH], flags=re.ASCII)
    return _begin_with_letter(word.rstrip("_"))


def _begin_with_letter(word: str) -> str:
    """Mermaid accepts no type and no name that begins with anything else."""
    return word if re.match(r"[A-Za-z]", word) else f"x{word}"


def _draw_references(catalog: Snapshot, tables: Sequence[Table]) -> Iterator[str]:
    """The foreign keys between the tables that are drawn."""
    node_names = {table.full_name: f"t{number}" for number, table in enumerate(tables)}
    for number, table in enumerate(tables):
        nullable = _nullable_columns(catalog, table)
        for foreign_key in catalog.foreign_keys_of(table):
            referenced = node_names.get(foreign_key.references or "")
            if referenced:
                yield _draw_reference(f"t{number}", referenced, foreign_key, nullable)


def _nullable_columns(catalog: Snapshot, table: Table) -> set[str]:
    return {column.name for column in catalog.columns_of(table) if column.nullable}


def _draw_reference(node: str, referenced: str, foreign_key: Constraint, nullable: set[str]) -> str:
    is_optional = not nullable.isdisjoint(foreign_key.columns)
    cardinality = "o|" if is_optional else "||"
    label = escape_label(", ".join(foreign_key.columns))
    return f'  {node} }}o--{cardinality} {referenced} : "{label}"'
