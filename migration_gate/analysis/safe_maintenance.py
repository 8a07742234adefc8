"""How tables and materialized views are maintained while others use them."""

from __future__ import annotations

import re
from shlex import quote as quote_argument

from migration_gate.analysis import safe_operations as code
from migration_gate.analysis.safe_way_request import SafeWay, SafeWayRequest
from migration_gate.analysis.table_copies import TableCopy
from migration_gate.facts import Index, View
from migration_gate.sql.identifiers import (
    name_on_search_path,
    qualified_name,
    quote_identifier,
    truncate_identifier,
)

REINDEX = re.compile(
    r"\s*REINDEX\s*(?P<options>\([^)]*\)\s*)?(?P<kind>INDEX|TABLE|SCHEMA|DATABASE)\s+(?P<name>.+?)\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)
CLUSTER = re.compile(r"\s*CLUSTER\b(?:.*\bUSING\s+(?P<index>\"[^\"]+\"|[\w$]+))?", re.IGNORECASE | re.DOTALL)
VACUUM = re.compile(r"\s*VACUUM\b", re.IGNORECASE)
OUTSIDE = "`pg_repack` outside of the migrations, which blocks others for moments only"
STORAGE = re.compile(
    r"\bSET\s+(?P<kind>LOGGED|UNLOGGED|TABLESPACE|ACCESS\s+METHOD)\b\s*(?P<name>\"[^\"]+\"|[\w$]+)?",
    re.IGNORECASE,
)
IN_NEW_TABLE = (
    "Make a new table that is stored like that, which a trigger fills. A later revision, when all rows are "
    "in it, puts it in the place of the old one; foreign keys, triggers and grants have to be given to it "
    "first."
)
WITHOUT_KEY = (
    "Take it out of the migrations: run it when nobody works, with a `lock_timeout`. With a primary key, a "
    "new table could be filled some rows at a time, and be put in the place of this one."
)


def maintain(request: SafeWayRequest) -> SafeWay:
    """For REINDEX, CLUSTER, VACUUM FULL, and changes of where and how a table is stored."""
    sql = request.item.statement.sql
    reindex = REINDEX.fullmatch(sql)
    if reindex is not None:
        text = f"REINDEX {reindex['options'] or ''}{reindex['kind'].upper()} CONCURRENTLY {reindex['name']}"
        return SafeWay(
            "Build the indexes anew while others read and write.", code.in_autocommit(code.execute(text))
        )
    cluster = CLUSTER.match(sql)
    if cluster is not None:
        return _remember_order(request, cluster["index"])
    if VACUUM.match(sql):
        arguments = f"--no-order --table={quote_argument(request.table)}"
        return SafeWay(
            "VACUUM makes the room of dead rows free for new ones while others read and write. To give it "
            f"back to the system, use {OUTSIDE}: `pg_repack {arguments}`.",
            code.in_autocommit(code.execute(f"VACUUM (ANALYZE) {request.table}")),
        )
    storage = STORAGE.search(sql)
    return _store_anew(request, storage) if storage is not None else SafeWay(WITHOUT_KEY)


def _store_anew(request: SafeWayRequest, storage: re.Match[str]) -> SafeWay:
    """A copy of the table, stored in another way."""
    before, table = request.item.change.before, request.item.work.relation.name
    if before is None or not request.primary_key:
        return SafeWay(WITHOUT_KEY)
    columns = [column.name for column in before.columns if not column.generated]
    copy = TableCopy(request.schema, table, truncate_identifier(f"{table}_new"), columns, request.primary_key)
    kind = " ".join(storage["kind"].upper().split())
    created = "UNLOGGED TABLE" if kind == "UNLOGGED" else "TABLE"
    options = {
        "TABLESPACE": f" TABLESPACE {storage['name']}",
        "ACCESS METHOD": f" USING {storage['name']}",
    }.get(kind, "")
    later = code.join_code(
        copy.drop_triggers(),
        code.execute(
            f"ALTER TABLE {copy.source} RENAME TO {quote_identifier(truncate_identifier(f'{table}_old'))}"
        ),
        code.execute(f"ALTER TABLE {copy.target} RENAME TO {quote_identifier(table)}"),
    )
    return SafeWay(
        IN_NEW_TABLE,
        code.join_code(
            code.execute(f"CREATE {created} {copy.target} (LIKE {copy.source} INCLUDING ALL){options}"),
            copy.keep_in_step(),
            code.in_later_revision(later),
        ),
    )


def _remember_order(request: SafeWayRequest, index: str | None) -> SafeWay:
    """CLUSTER ON is what `CLUSTER table` and pg_repack go by; it moves no row."""
    words = (
        f"Say which order the table has, and bring its rows into it by {OUTSIDE}: "
        f"`pg_repack --table={quote_argument(request.table)}`."
    )
    if index is None:  # the table has its order already
        return SafeWay(words + " The order stands in the table: nothing is left for the revision.")
    return SafeWay(words, code.execute(f"ALTER TABLE {request.table} CLUSTER ON {index}"))


def refresh_view(request: SafeWayRequest) -> SafeWay:
    """For a materialized view."""
    relation = request.item.work.relation
    view = name_on_search_path(relation.schema, relation.name)
    indexes = request.replay.catalog.indexes_in(relation.schema, relation.name)
    if any(_tells_rows_apart(index) for index in indexes):
        return SafeWay(
            "Refresh it while others read it.",
            code.execute(f"REFRESH MATERIALIZED VIEW CONCURRENTLY {view}"),
        )
    words = (
        "CONCURRENTLY needs a unique index on columns of the materialized view, without a WHERE. Without "
        "one, fill a new view, and put it in the place of the old one."
    )
    known = next(
        (
            item
            for item in request.replay.catalog.views
            if (item.schema, item.name) == (relation.schema, relation.name)
        ),
        None,
    )
    return SafeWay(words, _replace_view(known, indexes) if known is not None else "")


def _tells_rows_apart(index: Index) -> bool:
    return index.unique and index.valid and not index.partial and None not in index.columns


def _replace_view(view: View, indexes: tuple[Index, ...]) -> str:
    new_name = truncate_identifier(f"{view.name}_new")
    new, old = name_on_search_path(view.schema, new_name), name_on_search_path(view.schema, view.name)
    target = f" ON {qualified_name(view.schema, view.name)} "
    new_target = f" ON {qualified_name(view.schema, new_name)} "
    builds, renames = [], []
    for index in indexes:
        name = truncate_identifier(f"{index.name}_new")
        definition = index.definition.replace(
            f"INDEX {quote_identifier(index.name)} ON", f"INDEX {quote_identifier(name)} ON", 1
        )
        builds.append(code.execute(definition.replace(target, new_target, 1)))
        built = name_on_search_path(view.schema, name)
        renames.append(code.execute(f"ALTER INDEX {built} RENAME TO {quote_identifier(index.name)}"))
    return code.join_code(
        code.execute(f"CREATE MATERIALIZED VIEW {new} AS {view.definition.strip().rstrip(';')}"),
        builds,
        code.execute(f"DROP MATERIALIZED VIEW {old}"),
        code.execute(f"ALTER MATERIALIZED VIEW {new} RENAME TO {quote_identifier(view.name)}"),
        renames,
    )
