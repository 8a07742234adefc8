"""The views, triggers and policies that use columns: what drops them, and what creates them as they are.

Postgres changes the type of no column that one of them uses. Everything is read from the server: which ones
they are from `pg_depend`, their text from `pg_get_viewdef` and its like.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from migration_gate.facts import AttachedObject, Column
from migration_gate.sql.identifiers import qualified_name, quote_identifier

if TYPE_CHECKING:
    import psycopg

VIEWS = """
with recursive uses as (
  select distinct r.ev_class as view, d.refobjid as relation, d.refobjsubid as number
  from pg_depend d join pg_rewrite r on r.oid = d.objid
  where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass
    and r.ev_class <> d.refobjid
),
dependent(view, depth) as (
  select u.view, 1 from uses u
  join unnest(%(tables)s::text[], %(numbers)s::int[]) as own(name, number)
    on u.relation = to_regclass(own.name) and u.number = own.number
  union
  select u.view, d.depth + 1 from uses u join dependent d on u.relation = d.view
)
select c.oid, case c.relkind when 'm' then 'MATERIALIZED VIEW' else 'VIEW' end as noun,
       format('%%I.%%I', n.nspname, c.relname) as name, pg_get_viewdef(c.oid) as definition,
       c.reloptions as options, not c.relispopulated as is_empty,
       nullif(pg_get_userbyid(c.relowner)::text, current_user::text) as owner,
       exists (select from pg_attrdef a where a.adrelid = c.oid) as has_defaults
from dependent d join pg_class c on c.oid = d.view join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('v', 'm')
group by c.oid, n.nspname
order by max(d.depth), name
"""
"""from those that use the column itself to those that use views"""
PARTS_OF_VIEW = """
select text from (
  select 1 as step, i.indexrelid::bigint as number, pg_get_indexdef(i.indexrelid) as text
  from pg_index i where i.indrelid = %(oid)s::oid
  union all
  select 2, i.indexrelid, format('COMMENT ON INDEX %%s IS %%L', i.indexrelid::regclass, d.description)
  from pg_index i join pg_description d on d.objoid = i.indexrelid and d.classoid = 'pg_class'::regclass
  where i.indrelid = %(oid)s::oid
  union all
  select 3, t.oid, pg_get_triggerdef(t.oid) from pg_trigger t
  where t.tgrelid = %(oid)s::oid and not t.tgisinternal
  union all
  select 4, r.oid, pg_get_ruledef(r.oid) from pg_rewrite r
  where r.ev_class = %(oid)s::oid and r.rulename <> '_RETURN'
  union all
  select 5, d.objsubid, case d.objsubid
    when 0 then format('COMMENT ON %%s %%s IS %%L', %(noun)s::text, %(name)s::text, d.description)
    else format('COMMENT ON COLUMN %%s.%%I IS %%L', %(name)s::text, a.attname, d.description) end
  from pg_description d left join pg_attribute a on a.attrelid = d.objoid and a.attnum = d.objsubid
  where d.objoid = %(oid)s::oid and d.classoid = 'pg_class'::regclass
  union all
  select 6, 0, format('GRANT %%s ON %%s TO %%s%%s', g.privilege_type, %(name)s::text, g.grantee,
                      case when g.is_grantable then ' WITH GRANT OPTION' else '' end)
  from (select a.privilege_type, a.is_grantable,
               case a.grantee when 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(a.grantee)) end as grantee
        from pg_class c, aclexplode(c.relacl) a where c.oid = %(oid)s::oid and a.grantee <> c.relowner) g
  union all
  select 7, a.attnum, format('GRANT %%s (%%I) ON %%s TO %%s%%s', x.privilege_type, a.attname, %(name)s::text,
                      case x.grantee when 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(x.grantee)) end,
                      case when x.is_grantable then ' WITH GRANT OPTION' else '' end)
  from pg_attribute a, aclexplode(a.attacl) x where a.attrelid = %(oid)s::oid
) part order by step, number, text
"""
TRIGGERS = """
select format('DROP TRIGGER %%I ON %%s', t.tgname, %(table)s::text) as removal,
       pg_get_triggerdef(t.oid) as definition,
       case t.tgenabled when 'O' then null else format('ALTER TABLE %%s %%s TRIGGER %%I', %(table)s::text,
         case t.tgenabled when 'D' then 'DISABLE' when 'R' then 'ENABLE REPLICA' else 'ENABLE ALWAYS' end,
         t.tgname) end as firing,
       (select format('COMMENT ON TRIGGER %%I ON %%s IS %%L', t.tgname, %(table)s::text, c.description)
        from pg_description c where c.objoid = t.oid and c.classoid = 'pg_trigger'::regclass) as comment
from pg_trigger t
where t.tgrelid = to_regclass(%(table)s::text) and not t.tgisinternal and exists (
  select from pg_depend d where d.classid = 'pg_trigger'::regclass and d.objid = t.oid
    and d.refobjid = t.tgrelid and d.refobjsubid = %(number)s::int)
order by t.tgname
"""
POLICIES = """
select n.nspname::text, c.relname::text, p.polname::text,
       format('DROP POLICY %%I ON %%I.%%I', p.polname, n.nspname, c.relname) as removal,
       (select format('COMMENT ON POLICY %%I ON %%I.%%I IS %%L', p.polname, n.nspname, c.relname,
                      r.description)
        from pg_description r where r.objoid = p.oid and r.classoid = 'pg_policy'::regclass) as comment
from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
where exists (
  select from pg_depend d where d.classid = 'pg_policy'::regclass and d.objid = p.oid
    and d.refobjid = to_regclass(%(table)s::text) and d.refobjsubid = %(number)s::int)
order by 1, 2, 3
"""


class DependentObjects(NamedTuple):
    """SQL statements around a change of columns; empty if nothing uses them."""

    removals: tuple[str, ...] = ()
    creations: tuple[str, ...] = ()
    has_views: bool = False


class _ViewRow(NamedTuple):
    """A row of `VIEWS`."""

    oid: int
    noun: str
    name: str
    """with its schema, quoted"""
    definition: str
    options: list[str] | None
    is_empty: bool
    """a materialized view that was never filled"""
    owner: str | None
    """if it is not the user of the connection"""
    has_defaults: bool


class _AttachedRow(NamedTuple):
    """A trigger or policy of the table."""

    removal: str
    creations: tuple[str, ...]
    """what creates it, and what Postgres keeps beside its definition: its comment, when it fires"""


def read_dependents(
    connection: psycopg.Connection[Any], columns: Sequence[Column], policies: Iterable[AttachedObject]
) -> DependentObjects:
    """The views, triggers and policies that use the columns; `policies` are all of the database.

    Nothing if a view has defaults of its own, which no statement of ours restores.
    """
    tables = [qualified_name(column.schema, column.table) for column in columns]
    numbers = [column.number for column in columns]
    with connection.transaction(force_rollback=True):
        # Without a search path Postgres prints every name with its schema.
        connection.execute("select set_config('search_path', '', true)")
        views = [_ViewRow(*row) for row in connection.execute(VIEWS, {"tables": tables, "numbers": numbers})]
        if any(view.has_defaults for view in views):
            return DependentObjects()
        creations = [statement for view in views for statement in _recreate_view(connection, view)]
        attached = dict.fromkeys(
            row
            for table, number in zip(tables, numbers, strict=True)
            for used in ({"table": table, "number": number},)
            for row in (*_read_triggers(connection, used), *_read_policies(connection, used, policies))
        )
    removals = [f"DROP {view.noun} {view.name}" for view in reversed(views)]
    for row in attached:
        removals.append(row.removal)
        creations += row.creations
    return DependentObjects(tuple(removals), tuple(creations), bool(views))


def _read_triggers(connection: psycopg.Connection[Any], used: Mapping[str, Any]) -> Iterator[_AttachedRow]:
    for removal, *creations in connection.execute(TRIGGERS, used):
        yield _AttachedRow(removal, _without_none(creations))


def _read_policies(
    connection: psycopg.Connection[Any], used: Mapping[str, Any], policies: Iterable[AttachedObject]
) -> Iterator[_AttachedRow]:
    # Postgres has no function that prints a policy; the catalog's query has put the definition together.
    definitions = {(item.schema, item.table, item.name): item.definition for item in policies}
    for schema, table, name, removal, comment in connection.execute(POLICIES, used):
        definition = definitions.get((schema, table, name))
        yield _AttachedRow(removal, _without_none((definition, comment)))


def _without_none(statements: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(statement for statement in statements if statement is not None)


def _recreate_view(connection: psycopg.Connection[Any], view: _ViewRow) -> Iterator[str]:
    """The statements that create a view with all that belongs to it."""
    options = f" WITH ({', '.join(view.options)})" if view.options else ""
    query = view.definition.strip().removesuffix(";") + (" WITH NO DATA" if view.is_empty else "")
    yield f"CREATE {view.noun} {view.name}{options} AS {query}"
    parts = {"oid": view.oid, "noun": view.noun, "name": view.name}
    for (statement,) in connection.execute(PARTS_OF_VIEW, parts):
        yield str(statement).removesuffix(";")
    if view.owner is not None:
        yield f"ALTER {view.noun} {view.name} OWNER TO {quote_identifier(view.owner)}"
