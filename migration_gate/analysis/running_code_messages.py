"""Statements that fail while a change is deployed, in words, and how to make the change in two releases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from textwrap import indent

from migration_gate.analysis.op_code import format_operation, quote_python, schema_keyword
from migration_gate.analysis.running_code_origin import find_earlier_column, find_later_column, find_new_name
from migration_gate.analysis.safe_operations import update_in_batches
from migration_gate.check import Evidence
from migration_gate.facts import Facts, RefusalCause, RefusedStatement, StatementKind
from migration_gate.sql.identifiers import name_on_search_path, quote_identifier
from migration_gate.wording import join_lines

SHOWN_SQL = 400
SHOWN_VALUE = 40
WITHOUT_EQUALITY = ("json", "xml", "point", "polygon")
"""types that Postgres compares as texts alone"""
_MESSAGES = {
    RefusalCause.MISSING_TABLE: "`{table}` is not there any more, and the release that is live uses it{by}",
    RefusalCause.MISSING_COLUMN: "`{object}` is not there any more, and the release that is live names it in "
    "{kinds}{by}",
    RefusalCause.REQUIRED_COLUMN: "`{object}` is NOT NULL without a default, and the release that is live "
    "gives it no value{by}",
    RefusalCause.NULL: "`{object}` accepts NULL no more, and the release that is live may send it{by}",
    RefusalCause.TYPE: "`{object}` refuses the type of the values that the release that is live sends{by}",
    RefusalCause.VALUE: "`{object}` refuses values that the release that is live may send, as {value}{by}",
    RefusalCause.LABEL: "`{object}` refuses '{label}', which the release that is live may send{by}",
    RefusalCause.GENERATED: "`{object}` takes no values now, and the release that is live sends some{by}",
    RefusalCause.DEFAULT: "`{object}`: {kinds} of the release that is live has `{label}` for it, which "
    "fails{by}",
    RefusalCause.RULE: "`{table}` refuses every row of the release that is live{by}",
    RefusalCause.OTHER: "`{object}` refuses a statement of the release that is live{by}",
}
_LATER = (
    "Do it in two releases. First one whose code {first}; when it alone is live, the change of the database, "
    "in a release of its own."
)


def describe_refusal(refused: RefusedStatement) -> str:
    """What fails, in a sentence."""
    return _MESSAGES[refused.cause].format(
        table=refused_table(refused),
        object=refused,
        kinds=_join_kinds(refused.kinds),
        value=shorten_value(refused.value),
        label=refused.value,
        by=f" (`{', '.join(refused.classes)}`)" if refused.classes else "",
    )


def refused_table(refused: RefusedStatement) -> str:
    """The table as reports show it."""
    return name_on_search_path(refused.schema, refused.table)


def shorten_value(value: str) -> str:
    """A value in quotes; a long one by its length."""
    if len(value) > SHOWN_VALUE and set(value) == {"x"}:
        return f"a text of {len(value)} characters"
    return f"'{value}'" if len(value) <= SHOWN_VALUE else f"'{value[:SHOWN_VALUE]}…'"


def _join_kinds(kinds: Sequence[StatementKind]) -> str:
    names = [str(kind) for kind in kinds]
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else "its statements"


def list_refusal_evidence(refused: RefusedStatement) -> Iterator[Evidence]:
    """The class, the statement, and what Postgres said."""
    if refused.classes:
        yield Evidence("class", ", ".join(refused.classes))
    if refused.sql:
        sql = join_lines(refused.sql)
        yield Evidence("statement", sql if len(sql) <= SHOWN_SQL else f"{sql[:SHOWN_SQL]} …")
    yield Evidence("error" if refused.sql else "base", refused.message)


def describe_two_releases(facts: Facts, refused: RefusedStatement) -> str:
    """How the same comes about without a release that fails."""
    match refused.cause:
        case RefusalCause.MISSING_TABLE | RefusalCause.MISSING_COLUMN:
            return _describe_missing(facts, refused)
        case RefusalCause.REQUIRED_COLUMN | RefusalCause.NULL:
            return _describe_required(facts, refused)
        case RefusalCause.LABEL:
            return _LATER.format(first=f"does not send '{refused.value}' any more")
        case RefusalCause.DEFAULT:
            return _LATER.format(first=f"does not call `{refused.value}` any more")
        case RefusalCause.TYPE | RefusalCause.VALUE | RefusalCause.GENERATED:
            return _describe_type(facts, refused)
        case _:
            return _LATER.format(first="fits both schemas")


def _describe_missing(facts: Facts, refused: RefusedStatement) -> str:
    new_name = find_new_name(facts, refused)
    classes = f"`{', '.join(refused.classes)}`" if refused.classes else "the models"
    if refused.cause is RefusalCause.MISSING_TABLE:
        if new_name:
            old, new = refused_table(refused), name_on_search_path(*_split(new_name, refused.schema))
            view = format_operation("execute", quote_python(f"CREATE VIEW {old} AS SELECT * FROM {new}"))  # noqa: S608
            return _join(
                "Leave a view with the old name in the same revision, and drop it in a later release:", [view]
            )
        return _LATER.format(first=f"does not use {classes} any more")
    if new_name:
        return _join(
            f"Do not rename it: add `{new_name}` beside it, and drop `{refused.column}` in a later release, "
            "when all code uses the new one; until then the code writes both. The same loop, in a later "
            "revision, copies what the live release writes meanwhile.",
            _add_copy(facts, refused, new_name),
        )
    text = _LATER.format(first=f"has no `{refused.column}` in {classes} (remove the attribute)")
    column = find_earlier_column(facts, refused)
    if column is None or column.nullable or column.default is not None:
        return text
    keywords = {"nullable": "True", **schema_keyword(refused.schema)}
    call = format_operation(
        "alter_column", quote_python(refused.table), quote_python(refused.column), **keywords
    )
    return _join(f"{text} With the first goes, so that its rows need no value:", [call])


def _add_copy(facts: Facts, refused: RefusedStatement, new_name: str) -> list[str]:
    """A new column with the old one's values, as nullable as a new column must be."""
    column = find_earlier_column(facts, refused)
    table = refused_table(refused)
    new, old = quote_identifier(new_name), quote_identifier(refused.column)
    type_text = column.type if column is not None else "text"
    return [
        format_operation("execute", quote_python(f"ALTER TABLE {table} ADD COLUMN {new} {type_text}")),
        update_in_batches(table, f"{new} = {old}", _find_differing(new, old, type_text)),
    ]


def _find_differing(new: str, old: str, type_text: str) -> str:
    """A condition for rows whose new column has not the old one's value, also one that was changed since."""
    cast = "::text" if type_text.rstrip("[]") in WITHOUT_EQUALITY else ""
    return f"{new}{cast} IS DISTINCT FROM {old}{cast}"


def _describe_required(facts: Facts, refused: RefusedStatement) -> str:
    earlier = find_earlier_column(facts, refused)
    if earlier is not None and not earlier.nullable and earlier.default is not None:
        return (
            f"The column keeps its default, `{earlier.default}`, until the release that gives it a value is "
            "the only one that runs: leave what takes it away to a later release."
        )
    keywords = {"nullable": "True", **schema_keyword(refused.schema)}
    call = format_operation(
        "alter_column", quote_python(refused.table), quote_python(refused.column), **keywords
    )
    word = "stays" if earlier is not None else "is made"
    return _join(
        f"The column {word} nullable, or gets a `server_default`, until the release that gives it a value is "
        "the only one that runs; NOT NULL comes in a later release. In this revision:",
        [call],
    )


def _describe_type(facts: Facts, refused: RefusedStatement) -> str:
    earlier, later = find_earlier_column(facts, refused), find_later_column(facts, refused)
    type_text = later.type if later is not None else "…"
    if earlier is not None and earlier.type == type_text:  # a composite type with other attributes
        return (
            f"Make a type of another name with the attributes that `{type_text}` is to have, and a column of "
            f"it beside `{refused.column}`; write both from the next release on, and drop the old ones in a "
            "later one."
        )
    return (
        f"Add a new column of the type `{type_text}`, write both from the next release on, and drop "
        f"`{refused.column}` in a later one; or keep the type until no code that is live sends such values."
    )


def _join(text: str, lines: Iterable[str]) -> str:
    return f"{text}\n\n{indent(chr(10).join(lines), '    ')}"


def _split(full_name: str, schema: str) -> tuple[str, str]:
    """Schema and name of a table as reports show it."""
    before, point, name = full_name.rpartition(".")
    return (before, name) if point else ("public" if schema != "public" else schema, name)
