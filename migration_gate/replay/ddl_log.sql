-- The DDL log of a replay: one row for each DDL command, with the number of its step (the session setting
-- migration_gate.step) and, for a table, its columns, constraints and indexes right after the command. Event
-- triggers write it, so it costs a fraction of a millisecond a command and does not depend on the driver.
-- Run once in an empty database, before anything of the project runs.
create schema migration_gate;

create table migration_gate.ddl_log (
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

create function migration_gate.current_step() returns int language sql stable as $$
select coalesce(nullif(pg_catalog.current_setting('migration_gate.step', true), '')::int, 0)
$$;

-- Begin a step. Its row marks the beginning even where a migration resets the session (DISCARD ALL).
create function migration_gate.begin_step(step int) returns void language plpgsql security definer
set search_path = '' as $$
begin
    perform pg_catalog.set_config('migration_gate.step', step::text, false);
    insert into migration_gate.ddl_log (step, tag, kind, identity, oid) values (step, 'STEP', '', '', 0);
end $$;

-- The columns, constraints and indexes of a table. PL/pgSQL keeps its plans for the session; an SQL function would
-- be planned again for each command. This function and the next rely on the empty search_path of their callers.
create function migration_gate.table_state(relation oid) returns jsonb language plpgsql stable as $$
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

-- The table that a relation belongs to: the relation itself, or the table of an index; null for other kinds.
create function migration_gate.owning_table(relation oid) returns oid language plpgsql stable as $$
begin
return (select case c.relkind
    when 'r' then c.oid when 'p' then c.oid when 'f' then c.oid
    when 'i' then (select i.indrelid from pg_catalog.pg_index i where i.indexrelid = c.oid)
    when 'I' then (select i.indrelid from pg_catalog.pg_index i where i.indexrelid = c.oid)
end from pg_catalog.pg_class c where c.oid = relation);
end $$;

-- Log what a DDL command made or changed; called at its end.
create function migration_gate.log_command() returns event_trigger language plpgsql security definer
set search_path = '' as $$
declare
    command record;
    logged boolean := false;
    relation oid;
begin
    if pg_catalog.current_setting('migration_gate.is_comparing', true) = 'on' then
        return;
    end if;
    for command in select * from pg_event_trigger_ddl_commands() loop
        logged := true;
        if command.schema_name = 'migration_gate' or command.schema_name like 'pg_temp%' or command.in_extension
            or command.objid is null then -- GRANT and similar commands name no object
            continue;
        end if;
        relation := null;
        if command.classid = 'pg_catalog.pg_class'::regclass then
            relation := migration_gate.owning_table(command.objid);
        elsif command.classid = 'pg_catalog.pg_constraint'::regclass then -- RENAME CONSTRAINT
            relation := (select c.conrelid from pg_catalog.pg_constraint c where c.oid = command.objid and c.conrelid <> 0);
        end if;
        insert into migration_gate.ddl_log (step, tag, kind, identity, oid, state)
        values (migration_gate.current_step(), command.command_tag, command.object_type, command.object_identity,
                coalesce(relation, command.objid), migration_gate.table_state(relation));
        -- A command on a partitioned table, or on one that others inherit from, changes those tables too.
        if exists (select from pg_catalog.pg_inherits i where i.inhparent = relation) then
            insert into migration_gate.ddl_log (step, tag, kind, identity, oid, state)
            with recursive descendant (oid) as (
                select i.inhrelid from pg_catalog.pg_inherits i where i.inhparent = relation
                union
                select i.inhrelid from descendant join pg_catalog.pg_inherits i on i.inhparent = descendant.oid)
            select migration_gate.current_step(), command.command_tag, 'table', descendant.oid::regclass::text,
                   descendant.oid, migration_gate.table_state(descendant.oid)
            from descendant;
        end if;
    end loop;
    if not logged and tg_tag like 'CREATE %' then -- IF NOT EXISTS: the object was there already
        insert into migration_gate.ddl_log (step, tag, kind, identity, oid, statement)
        values (migration_gate.current_step(), tg_tag, lower(substr(tg_tag, 8)), '', 0, left(current_query(), 4000));
    end if;
end $$;

-- Log what a DDL command dropped.
create function migration_gate.log_drop() returns event_trigger language plpgsql security definer
set search_path = '' as $$
begin
    if pg_catalog.current_setting('migration_gate.is_comparing', true) = 'on' then
        return;
    end if;
    insert into migration_gate.ddl_log (step, tag, kind, identity, oid, state)
    select migration_gate.current_step(), tg_tag, d.object_type, d.object_identity, d.objid, null
    from pg_event_trigger_dropped_objects() d
    where d.object_type in ('table', 'table column', 'index', 'sequence', 'type', 'view', 'materialized view',
                            'function', 'trigger', 'policy', 'table constraint', 'schema', 'extension')
      and not d.is_temporary and d.schema_name is distinct from 'migration_gate' and (d.original or d.normal);
    -- Dropping an index changes the state of its table.
    insert into migration_gate.ddl_log (step, tag, kind, identity, oid, state)
    select migration_gate.current_step(), tg_tag, 'table', c.oid::regclass::text, c.oid, migration_gate.table_state(c.oid)
    from pg_catalog.pg_class c
    where tg_tag = 'DROP INDEX' and c.relkind in ('r', 'p') and c.oid in (
        select l.oid from migration_gate.ddl_log l, pg_event_trigger_dropped_objects() d
        where d.object_type = 'index'
          and l.state -> 'indexes' @> jsonb_build_array(jsonb_build_array(d.object_name)));
end $$;

-- For a server that allows us no event triggers: log what differs from the last logged state.
create function migration_gate.log_changes() returns void language plpgsql security definer set search_path = '' as $$
begin
    insert into migration_gate.ddl_log (step, tag, kind, identity, oid, state)
    select migration_gate.current_step(), 'SEEN', 'table', c.oid::regclass::text, c.oid, migration_gate.table_state(c.oid)
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'f') and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'migration_gate')
      and migration_gate.table_state(c.oid) is distinct from (
          select l.state from migration_gate.ddl_log l where l.oid = c.oid and l.state is not null
          order by l.id desc limit 1);
    insert into migration_gate.ddl_log (step, tag, kind, identity, oid)
    select migration_gate.current_step(), 'SEEN', o.type, o.identity, f.oid
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
      and not exists (select from migration_gate.ddl_log l where l.oid = f.oid)
      and not exists (select from pg_catalog.pg_depend e
                      where e.classid = f.class and e.objid = f.oid and e.deptype = 'e')
    order by f.oid;
end $$;
