-- The diary of a replay: every DDL command, with the step it belongs to (`set migration_gate.step`) and, for
-- a table, what its columns, constraints and indexes were right after it. It is written by event triggers, so
-- it costs a fraction of a millisecond a command and does not depend on the driver. Run once in an empty
-- database, before anything of the project's.
create schema migration_gate;

create table migration_gate.diary (
    id bigint generated always as identity,
    step int not null,
    tag text not null,
    kind text not null,
    identity text not null,
    oid oid not null,
    statement text,
    state jsonb
);
grant usage on schema migration_gate to public;

create function migration_gate.step() returns int language sql stable as $$
select coalesce(nullif(pg_catalog.current_setting('migration_gate.step', true), '')::int, 0)
$$;

-- A step begins. The row tells it from the one before even where a migration resets the session (DISCARD ALL).
create function migration_gate.begin(step int) returns void language plpgsql security definer
set search_path = '' as $$
begin
    perform pg_catalog.set_config('migration_gate.step', step::text, false);
    insert into migration_gate.diary (step, tag, kind, identity, oid) values (step, 'STEP', '', '', 0);
end $$;

-- PL/pgSQL keeps its plans for the session; an SQL function would be planned anew for each command. Both of these
-- rely on the empty search_path of their callers.
create function migration_gate.state(relation oid) returns jsonb language plpgsql stable as $$
begin
return (select jsonb_build_object(
    'columns', (
        select jsonb_agg(jsonb_build_array(a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), not a.attnotnull,
                                           pg_get_expr(d.adbin, d.adrelid)) order by a.attnum)
        from pg_catalog.pg_attribute a
        left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = relation and a.attnum > 0 and not a.attisdropped),
    'constraints', (
        select jsonb_agg(jsonb_build_array(c.conname, pg_get_constraintdef(c.oid)) order by c.conname)
        from pg_catalog.pg_constraint c where c.conrelid = relation and c.contype <> 'n'),
    'indexes', (
        select jsonb_agg(jsonb_build_array(r.relname, pg_get_indexdef(i.indexrelid)) order by r.relname)
        from pg_catalog.pg_index i join pg_catalog.pg_class r on r.oid = i.indexrelid where i.indrelid = relation)));
end $$;

-- The table that a relation belongs to: itself, or the table of an index.
create function migration_gate.table_of(relation oid) returns oid language plpgsql stable as $$
begin
return (select case c.relkind
    when 'r' then c.oid when 'p' then c.oid when 'f' then c.oid
    when 'i' then (select i.indrelid from pg_catalog.pg_index i where i.indexrelid = c.oid)
    when 'I' then (select i.indrelid from pg_catalog.pg_index i where i.indexrelid = c.oid)
end from pg_catalog.pg_class c where c.oid = relation);
end $$;

create function migration_gate.note_command() returns event_trigger language plpgsql security definer
set search_path = '' as $$
declare
    command record;
    told boolean := false;
    relation oid;
begin
    for command in select * from pg_event_trigger_ddl_commands() loop
        told := true;
        if command.schema_name = 'migration_gate' or command.schema_name like 'pg_temp%' or command.in_extension
            or command.objid is null then -- GRANT and its like name no object
            continue;
        end if;
        relation := null;
        if command.classid = 'pg_catalog.pg_class'::regclass then
            relation := migration_gate.table_of(command.objid);
        elsif command.classid = 'pg_catalog.pg_constraint'::regclass then -- RENAME CONSTRAINT
            relation := (select c.conrelid from pg_catalog.pg_constraint c where c.oid = command.objid and c.conrelid <> 0);
        end if;
        insert into migration_gate.diary (step, tag, kind, identity, oid, state)
        values (migration_gate.step(), command.command_tag, command.object_type, command.object_identity,
                coalesce(relation, command.objid), migration_gate.state(relation));
        -- what a command does to a partitioned table, or to one that others inherit, it does to those too
        if exists (select from pg_catalog.pg_inherits i where i.inhparent = relation) then
        insert into migration_gate.diary (step, tag, kind, identity, oid, state)
        with recursive heir (oid) as (
            select i.inhrelid from pg_catalog.pg_inherits i where i.inhparent = relation
            union
            select i.inhrelid from heir join pg_catalog.pg_inherits i on i.inhparent = heir.oid)
        select migration_gate.step(), command.command_tag, 'table', heir.oid::regclass::text, heir.oid,
               migration_gate.state(heir.oid)
        from heir;
        end if;
    end loop;
    if not told and tg_tag like 'CREATE %' then -- IF NOT EXISTS found something
        insert into migration_gate.diary (step, tag, kind, identity, oid, statement)
        values (migration_gate.step(), tg_tag, lower(substr(tg_tag, 8)), '', 0, left(current_query(), 4000));
    end if;
end $$;

create function migration_gate.note_drop() returns event_trigger language plpgsql security definer
set search_path = '' as $$
begin
    insert into migration_gate.diary (step, tag, kind, identity, oid, state)
    select migration_gate.step(), tg_tag, d.object_type, d.object_identity, d.objid, null
    from pg_event_trigger_dropped_objects() d
    where d.object_type in ('table', 'table column', 'index', 'sequence', 'type', 'view', 'materialized view',
                            'function', 'trigger', 'policy', 'table constraint', 'schema', 'extension')
      and not d.is_temporary and d.schema_name is distinct from 'migration_gate' and (d.original or d.normal);
    -- an index or a constraint that went leaves its table in another state
    insert into migration_gate.diary (step, tag, kind, identity, oid, state)
    select migration_gate.step(), tg_tag, 'table', c.oid::regclass::text, c.oid, migration_gate.state(c.oid)
    from pg_catalog.pg_class c
    where tg_tag = 'DROP INDEX' and c.relkind in ('r', 'p') and c.oid in (
        select y.oid from migration_gate.diary y, pg_event_trigger_dropped_objects() d
        where d.object_type = 'index'
          and y.state -> 'indexes' @> jsonb_build_array(jsonb_build_array(d.object_name)));
end $$;

-- For a server that lets us have no event triggers: what changed since the last mark, found by comparing.
create function migration_gate.mark() returns void language plpgsql security definer set search_path = '' as $$
begin
    insert into migration_gate.diary (step, tag, kind, identity, oid, state)
    select migration_gate.step(), 'SEEN', 'table', c.oid::regclass::text, c.oid, migration_gate.state(c.oid)
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'f') and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'migration_gate')
      and migration_gate.state(c.oid) is distinct from (
          select y.state from migration_gate.diary y where y.oid = c.oid and y.state is not null
          order by y.id desc limit 1);
    insert into migration_gate.diary (step, tag, kind, identity, oid)
    select migration_gate.step(), 'SEEN', o.type, o.identity, f.oid
    from (
        select 'pg_catalog.pg_class'::regclass as class, c.oid, c.relnamespace as schema from pg_catalog.pg_class c
        where c.relkind in ('S', 'v', 'm')
        union all
        select 'pg_catalog.pg_type'::regclass, t.oid, t.typnamespace from pg_catalog.pg_type t
        where t.typtype in ('e', 'd')
        union all
        select 'pg_catalog.pg_proc'::regclass, p.oid, p.pronamespace from pg_catalog.pg_proc p
    ) f
    join pg_catalog.pg_namespace n on n.oid = f.schema
    cross join lateral pg_catalog.pg_identify_object(f.class, f.oid, 0) o
    where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'migration_gate')
      and not exists (select from migration_gate.diary y where y.oid = f.oid)
      and not exists (select from pg_catalog.pg_depend e
                      where e.classid = f.class and e.objid = f.oid and e.deptype = 'e')
    order by f.oid;
end $$;
