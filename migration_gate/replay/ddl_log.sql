-- The DDL log of a replay: one row for each DDL command, with the number of its step (the session setting
-- migration_gate.step), the client's statement that led to it, and the state of what it touched right after it:
-- a table with all of its columns, constraints and indexes, a sequence, a view, a type. Event triggers write it,
-- so it costs about a millisecond a command and does not depend on the driver.
-- Run once in an empty database, before anything of the project runs. A name in braces stands for a query of
-- migration_gate/catalog, with each row as an array.
create schema migration_gate;

create table migration_gate.ddl_log (
    id bigint generated always as identity primary key,
    step int not null,
    tag text not null,
    kind text not null,
    identity text not null,
    oid oid not null,
    dropped boolean not null default false,
    query text, -- the client's statement
    moment timestamptz not null default statement_timestamp(), -- tells two statements of the same text apart
    -- JSON; '=': the same as in the row before of this oid; '+' or '-': that with an index more (JSON) or less (its oid)
    state text,
    parents oid[], -- the tables that a table is a partition of, or inherits from
    indexes oid[] -- of a table
);
create index on migration_gate.ddl_log (oid, id);
grant usage on schema migration_gate to public;

create function migration_gate.current_step() returns int language sql stable as $$
select coalesce(nullif(pg_catalog.current_setting('migration_gate.step', true), '')::int, 0)
$$;

-- The client's text, without what the worker has put into the handlers of a DO block (worker/observed_blocks.py).
-- Volatile as current_query() is: otherwise it would not be inlined.
create function migration_gate.client_query() returns text language sql volatile as $$
select pg_catalog.replace(pg_catalog.current_query(), ' DECLARE migration_gate_context text; BEGIN GET STACKED DIAGNOSTICS migration_gate_context = PG_EXCEPTION_CONTEXT; migration_gate_context := migration_gate.note_caught(SQLSTATE, SQLERRM, migration_gate_context); END;', '')
$$;

-- What is asked of the client's text for each of its commands is found once: it may hold ten thousand commands.
create function migration_gate.remember_query() returns void language plpgsql as $$
declare
    moment constant text := statement_timestamp()::text;
    ignored text;
begin
    if moment is distinct from current_setting('migration_gate.query_moment', true) then
        ignored := set_config('migration_gate.query', left(migration_gate.client_query(), 4000), false);
        ignored := set_config('migration_gate.detaches', (pg_catalog.current_query() ~* 'detach')::text, false);
        ignored := set_config('migration_gate.query_moment', moment, false);
    end if;
end $$;

-- The beginning of the client's text, as the log keeps it.
create function migration_gate.logged_query() returns text language plpgsql as $$
begin
    perform migration_gate.remember_query();
    return current_setting('migration_gate.query');
end $$;

create function migration_gate.detaches() returns boolean language plpgsql as $$
begin
    perform migration_gate.remember_query();
    return current_setting('migration_gate.detaches')::boolean;
end $$;

-- All of the catalog, for the worker: planning the query takes as long as running it, and a function of the session's
-- is planned once.
create function migration_gate.read_catalog() returns text language plpgsql as $$
begin
    if not ({has_rare}) then
        return ({short_catalog});
    end if;
    return ({catalog});
end $$;

-- What a step begins with where the gate cannot read the server's log; see skipped_creations_session.sql.
create function migration_gate.keep_attempts() returns void language plpgsql as 'begin end';

-- Begin a step. Its row marks the beginning even where a migration resets the session (DISCARD ALL), and so does
-- the line of the server's log.
create function migration_gate.begin_step(step int) returns void language plpgsql security definer
set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
    ignored text;
begin
    ignored := pg_catalog.set_config('migration_gate.step', step::text, false);
    if pg_catalog.current_setting('migration_gate.newest_row', true) <> '' then
        ignored := pg_catalog.set_config('migration_gate.is_unchanged', (
            pg_catalog.current_setting('migration_gate.newest_row')
            = (select pg_catalog.max(id) from migration_gate.ddl_log)::text)::text, false);
        ignored := pg_catalog.set_config('migration_gate.newest_row', '', false);
    end if;
    insert into migration_gate.ddl_log (step, tag, kind, identity, oid) values (step, 'STEP', '', '', 0);
    raise log 'migration_gate step: %', step;
    perform migration_gate.keep_attempts();
end $$;

-- End a step whose catalog was read: if the log is the same when the next one begins, so is the catalog.
create function migration_gate.end_step() returns void language plpgsql security definer
set search_path = '' set enable_seqscan = off set jit = off as $$
begin
    perform pg_catalog.set_config('migration_gate.is_unchanged', '', false);
    perform pg_catalog.set_config(
        'migration_gate.newest_row', (select pg_catalog.max(id) from migration_gate.ddl_log)::text, false);
end $$;

-- The state of a relation that inherits from `parents`. PL/pgSQL keeps its plans for the session; an SQL function
-- would be planned again for each command. This function and those that follow rely on the empty search_path of their
-- callers. What it prints of a table is what migration_gate/catalog prints, with less work: it runs once for each DDL
-- command.
create function migration_gate.relation_state(target oid, parents oid[]) returns text language plpgsql stable as $body$
declare
    kind constant "char" := (select c.relkind from pg_catalog.pg_class c where c.oid = target);
begin
return case when kind in ('r', 'p', 'f') then migration_gate.table_state(target, parents)
            when kind = 'S' then migration_gate.sequence_state(target)
            else migration_gate.view_state(target) end;
end $body$;

-- What few tables have is asked for by a function of its own: to begin a query takes longer than to run it, and grows
-- with its parts, whether they are needed or not.
create function migration_gate.table_state(target oid, parents oid[]) returns text language plpgsql stable as $$
declare
    relation record;
    columns json;
    constraints json;
    indexes json;
    parts oid[]; -- the constraints and indexes
begin
    select n.nspname as schema, c.relname, c.relkind, c.relpersistence, c.reloptions, c.relpartbound, c.relhasindex
    into relation
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = target;
    columns := (
        select json_agg(json_build_array(
            a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), not a.attnotnull,
            -- Only a generated column names others. With the table's oid Postgres would compare the names of all of its
            -- columns with each other, for each expression.
            case when a.atthasdef then (
                select pg_get_expr(d.adbin, case when a.attgenerated = '' then 0 else target end)
                from pg_catalog.pg_attrdef d where d.adrelid = target and d.adnum = a.attnum) end,
            a.attgenerated, a.attidentity,
            case when a.attcollation not in (0, 100) then migration_gate.other_collation(a.attcollation, a.atttypid) end)
            order by a.attnum)
        from pg_catalog.pg_attribute a
        where a.attrelid = target and a.attnum > 0 and not a.attisdropped);
    select json_agg(json_build_array(
               o.oid, o.conname, pg_get_constraintdef(o.oid), o.conkey,
               json_build_array(o.condeferrable, o.condeferred, o.convalidated, o.connoinherit),
               case when o.contype in ('p', 'u', 'x') then o.conindid end)
               order by o.conname),
           array_agg(o.oid)
    into constraints, parts
    from pg_catalog.pg_constraint o
    where o.conrelid = target and (o.contype in ('p', 'u', 'f', 'c', 'x') or o.contype = 'n' and not o.convalidated);
    if relation.relhasindex then
        select json_agg({index} order by r.relname), parts || array_agg(i.indexrelid)
        into indexes, parts
        from pg_catalog.pg_index i join pg_catalog.pg_class r on r.oid = i.indexrelid where i.indrelid = target;
    end if;
    return json_build_object(
        'table', json_build_array(
            relation.schema, relation.relname,
            case relation.relkind when 'p' then 'partitioned table' when 'f' then 'foreign table' else 'table' end,
            case relation.relpersistence when 'u' then 'unlogged' when 't' then 'temporary' else 'permanent' end,
            case when relation.reloptions is null then null
                 else migration_gate.sorted_options(relation.reloptions) end,
            case when relation.relkind = 'p' then pg_get_partkeydef(target) end,
            pg_get_expr(relation.relpartbound, target),
            case when parents <> '{}' then migration_gate.parent_names(target) end),
        'oid', target, 'columns', columns, 'constraints', constraints, 'indexes', indexes,
        'comments', (
            select json_agg(json_build_array(
                d.classoid = 'pg_catalog.pg_constraint'::regclass, d.objoid, d.objsubid, d.description))
            from pg_catalog.pg_description d
            where d.objoid = any (parts || target)
              and d.classoid in ('pg_catalog.pg_class'::regclass, 'pg_catalog.pg_constraint'::regclass)))::text;
end $$;

-- The collation of a column; null if it is that of the column's type.
create function migration_gate.other_collation(target oid, type oid) returns text language plpgsql stable as $$
begin
return (
    select quote_ident(n.nspname) || '.' || quote_ident(o.collname)
    from pg_catalog.pg_type t, pg_catalog.pg_collation o
    join pg_catalog.pg_namespace n on n.oid = o.collnamespace
    where t.oid = type and o.oid = target and t.typcollation <> target);
end $$;

create function migration_gate.sorted_options(options text[]) returns text[] language plpgsql stable as $$
begin
return array(select o from unnest(options) o order by o);
end $$;

create function migration_gate.parent_names(target oid) returns text[] language plpgsql stable as $$
begin
return array(
    select n.nspname || '.' || c.relname
    from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhparent
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace where i.inhrelid = target order by i.inhseqno);
end $$;

create function migration_gate.parent_tables(target oid) returns oid[] language plpgsql stable as $$
begin
return array(select i.inhparent from pg_catalog.pg_inherits i where i.inhrelid = target);
end $$;

-- An index that a command has made of a table with many, where the log has the table's state before it: all of them
-- would be printed again for each. Null for other objects, and for tables with few.
create function migration_gate.added_index(target oid, index oid) returns text language plpgsql stable as $$
begin
    if not migration_gate.has_many_indexes(target) or not exists (
            select from migration_gate.ddl_log l where l.oid = target and l.state is not null) then
        return null;
    end if;
    return '+' || (
        select {index}::text from pg_catalog.pg_index i join pg_catalog.pg_class r on r.oid = i.indexrelid
        where i.indexrelid = index and i.indrelid = target);
end $$;

create function migration_gate.has_many_indexes(target oid) returns boolean language plpgsql stable as $$
begin
    return exists (select from pg_catalog.pg_index i where i.indrelid = target offset {many})
        and exists (select from pg_catalog.pg_class c where c.oid = target and c.relkind = 'r');
end $$;

create function migration_gate.sequence_state(target oid) returns text language plpgsql stable as $body$
#variable_conflict use_column
begin
return (
with relation as not materialized (
    select c.oid, n.nspname::text as schema, c.relname::text as name, c.relkind as kind, c.reloptions as options
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.oid = target
), remark as not materialized (
    select d.classoid, d.objoid, d.objsubid, d.description as comment from pg_catalog.pg_description d
)
select json_build_object('sequences', ({sequences}))::text);
end $body$;

create function migration_gate.view_state(target oid) returns text language plpgsql stable as $body$
#variable_conflict use_column
begin
return (
with relation as not materialized (
    select c.oid, n.nspname::text as schema, c.relname::text as name, c.relkind as kind, c.reloptions as options
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.oid = target
), remark as not materialized (
    select d.classoid, d.objoid, d.objsubid, d.description as comment from pg_catalog.pg_description d
)
select json_build_object('views', ({views}), 'indexes', (
    select json_agg(json_build_array(r.oid, r.relname, pg_get_indexdef(i.indexrelid)) order by r.relname)
    from pg_catalog.pg_index i join pg_catalog.pg_class r on r.oid = i.indexrelid where i.indrelid = target))::text);
end $body$;

-- The state of an enum, domain, composite type or range; null where it is another type. In the queries of the
-- catalog, pg_type is this one row.
create function migration_gate.type_state(target oid) returns text language plpgsql stable as $body$
declare
    kind constant "char" := (select t.typtype from pg_catalog.pg_type t where t.oid = target);
begin
return case when kind = 'e' then migration_gate.enum_state(target)
            when kind is not null then migration_gate.other_type_state(target) end;
end $body$;

create function migration_gate.enum_state(target oid) returns text language plpgsql stable as $body$
begin
return (
with space as not materialized (select n.oid, n.nspname::text as name from pg_catalog.pg_namespace n),
pg_type as not materialized (select t.* from pg_catalog.pg_type t where t.oid = target)
select json_build_object('enums', ({enums}))::text);
end $body$;

create function migration_gate.other_type_state(target oid) returns text language plpgsql stable as $body$
begin
return (
with space as not materialized (select n.oid, n.nspname::text as name from pg_catalog.pg_namespace n),
pg_type as not materialized (select t.* from pg_catalog.pg_type t where t.oid = target)
select json_build_object('types', ({types}))::text);
end $body$;

-- The table, view or sequence that an object is, or is a part of; null for other objects.
create function migration_gate.owning_relation(class oid, object oid) returns oid language plpgsql stable as $$
begin
return case class
    when 'pg_catalog.pg_class'::regclass then (
        select case c.relkind
            when 'i' then (select i.indrelid from pg_catalog.pg_index i where i.indexrelid = c.oid)
            when 'I' then (select i.indrelid from pg_catalog.pg_index i where i.indexrelid = c.oid)
            when 'c' then null when 't' then null
            else c.oid end
        from pg_catalog.pg_class c where c.oid = object)
    when 'pg_catalog.pg_constraint'::regclass then (
        select nullif(c.conrelid, 0) from pg_catalog.pg_constraint c where c.oid = object)
    when 'pg_catalog.pg_attrdef'::regclass then (
        select d.adrelid from pg_catalog.pg_attrdef d where d.oid = object)
end;
end $$;

-- The type that an object is, or is a part of; null for other objects.
create function migration_gate.owning_type(class oid, object oid) returns oid language plpgsql stable as $$
begin
return case class
    when 'pg_catalog.pg_type'::regclass then object
    when 'pg_catalog.pg_class'::regclass then (
        select c.reltype from pg_catalog.pg_class c where c.oid = object and c.relkind = 'c')
    when 'pg_catalog.pg_constraint'::regclass then (
        select nullif(c.contypid, 0) from pg_catalog.pg_constraint c where c.oid = object)
end;
end $$;

-- Log the relations and types whose state is no longer the one that was logged last.
create function migration_gate.log_changed_states(tag text, relations oid[], types oid[]) returns void
language plpgsql as $$
begin
    insert into migration_gate.ddl_log (step, tag, kind, identity, oid, query, state, parents, indexes)
    select migration_gate.current_step(), tag,
           case c.relkind when 'S' then 'sequence' when 'v' then 'view' when 'm' then 'materialized view' else 'table' end,
           c.oid::regclass::text, c.oid, migration_gate.logged_query(), s.state, p.parents,
           array(select i.indexrelid from pg_catalog.pg_index i where i.indrelid = c.oid)
    from pg_catalog.pg_class c
    cross join lateral (select migration_gate.parent_tables(c.oid) as parents offset 0) p
    cross join lateral (select migration_gate.relation_state(c.oid, p.parents) as state offset 0) s
    where c.oid = any (relations) and s.state is distinct from (
        select l.state from migration_gate.ddl_log l
        where l.oid = c.oid and (l.state <> '=' or l.dropped) order by l.id desc limit 1)
    order by c.oid;
    insert into migration_gate.ddl_log (step, tag, kind, identity, oid, query, state)
    select migration_gate.current_step(), tag, 'type', format_type(t.oid, null), t.oid, migration_gate.logged_query(), t.state
    from (select d.oid, migration_gate.type_state(d.oid) as state from unnest(types) d (oid)) t
    where t.state is distinct from (
        select l.state from migration_gate.ddl_log l
        where l.oid = t.oid and (l.state <> '=' or l.dropped) order by l.id desc limit 1)
    order by t.oid;
end $$;

-- Log what else a command changed: the tables that inherit from its tables, or did so before, and, where a name
-- changed, everything whose definition spells that name. (The sequence of a column has commands of its own.)
create function migration_gate.log_consequences(tag text, relations oid[], renamed oid[]) returns void
language plpgsql as $$
declare
    affected oid[] := '{}';
    affected_types oid[] := '{}';
begin
    if exists (select from pg_catalog.pg_inherits i where i.inhparent = any (relations)) then
        affected := array(
            with recursive descendant (oid) as (
                select i.inhrelid from pg_catalog.pg_inherits i where i.inhparent = any (relations)
                union
                select i.inhrelid from descendant join pg_catalog.pg_inherits i on i.inhparent = descendant.oid)
            select descendant.oid from descendant);
    end if;
    if tag = 'ALTER TABLE' and migration_gate.detaches() then
        affected := affected || array(
            select l.oid from migration_gate.ddl_log l join pg_catalog.pg_class c on c.oid = l.oid
            where l.parents && relations);
    end if;
    if renamed <> '{}' then
        affected := affected || array(
            select migration_gate.owning_relation(d.classid, d.objid) from pg_catalog.pg_depend d
            where d.refobjid = any (renamed || array(
                      select t.typarray from pg_catalog.pg_type t where t.oid = any (renamed) and t.typarray <> 0))
              and d.deptype in ('n', 'a', 'i'));
        affected_types := array(
            select migration_gate.owning_type(d.classid, d.objid) from pg_catalog.pg_depend d
            where d.refobjid = any (renamed) and d.classid in (
                'pg_catalog.pg_type'::regclass, 'pg_catalog.pg_constraint'::regclass, 'pg_catalog.pg_class'::regclass)
              and d.deptype = 'n');
    end if;
    affected := array(select a.oid from unnest(affected) a (oid) where a.oid is not null and a.oid <> all (relations));
    affected_types := array(select a.oid from unnest(affected_types) a (oid) where a.oid is not null);
    if affected <> '{}' or affected_types <> '{}' then
        perform migration_gate.log_changed_states(tag, affected, affected_types);
    end if;
end $$;

-- Log what a DDL command made or changed; called at its end. A loop of small statements, whose plans are kept, is
-- faster than one large statement.
create function migration_gate.log_command() returns event_trigger language plpgsql security definer
set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
    command record;
    has_commands boolean := false;
    relation oid;
    type oid;
    logged oid;
    parents oid[]; -- of the relation
    logged_before oid[] := '{}';
    relations oid[] := '{}';
    renamed oid[] := '{}';
    has_heirs boolean := false;
    previous text; -- the name under which the object was logged before
    added text; -- the index, where only that is logged of its table
    client_text text;
begin
    if pg_catalog.current_setting('migration_gate.is_comparing', true) = 'on' then
        return;
    end if;
    for command in
        select c.classid, c.objid, c.command_tag, c.object_type, c.object_identity, c.schema_name, c.in_extension
        from pg_event_trigger_ddl_commands() c
    loop
        has_commands := true;
        client_text := coalesce(client_text, migration_gate.logged_query());
        if command.schema_name = 'migration_gate' or command.schema_name like 'pg_temp%' or command.in_extension
            or command.objid is null then -- GRANT and similar commands name no object
            continue;
        end if;
        relation := case when command.object_type in ('table', 'table column', 'sequence', 'view', 'materialized view')
            then command.objid
            else migration_gate.owning_relation(command.classid, command.objid) end;
        type := case when relation is null then migration_gate.owning_type(command.classid, command.objid) end;
        logged := coalesce(relation, type, command.objid);
        added := case when relation is not null and command.command_tag = 'CREATE INDEX'
            then migration_gate.added_index(relation, command.objid) end;
        parents := '{}';
        if relation is not null then
            relations := relations || relation;
        end if;
        if relation is not null and command.object_type <> 'sequence' then
            select array(select i.inhparent from pg_catalog.pg_inherits i where i.inhrelid = relation),
                   has_heirs or exists (select from pg_catalog.pg_inherits i where i.inhparent = relation)
            into parents, has_heirs;
        end if;
        if command.object_type = 'table column' then
            renamed := renamed || command.objid;
        elsif command.command_tag like 'ALTER %' then
            previous := (
                select p.identity from migration_gate.ddl_log p
                where p.oid = command.objid and p.kind = command.object_type order by p.id desc limit 1);
            if previous <> command.object_identity then
                renamed := renamed || command.objid;
            end if;
        end if;
        insert into migration_gate.ddl_log (step, tag, kind, identity, oid, query, state, parents, indexes)
        values (migration_gate.current_step(), command.command_tag, command.object_type, command.object_identity, logged,
                client_text,
                case when relation is null and type is null then null
                     when logged = any (logged_before) then '='
                     when added is not null then added
                     when relation is not null then migration_gate.relation_state(relation, parents)
                     else migration_gate.type_state(type) end,
                parents,
                case when added is not null then array[command.objid]
                     else array(select i.indexrelid from pg_catalog.pg_index i where i.indrelid = relation) end);
        logged_before := logged_before || logged;
    end loop;
    if tg_tag = 'ALTER SCHEMA' and renamed <> '{}' then
        perform migration_gate.log_changes();
    elsif renamed <> '{}' or has_heirs or (tg_tag = 'ALTER TABLE' and migration_gate.detaches()) then
        perform migration_gate.log_consequences(tg_tag, relations, renamed);
    elsif not has_commands and tg_tag like 'CREATE %' then -- IF NOT EXISTS: the object was there already
        insert into migration_gate.ddl_log (step, tag, kind, identity, oid, query)
        values (migration_gate.current_step(), tg_tag, lower(substr(tg_tag, 8)), '', 0, migration_gate.logged_query());
    end if;
end $$;

-- Log what a DDL command dropped, and the tables of which it dropped a part. What an ALTER TABLE drops of its own
-- table is logged at its end.
create function migration_gate.log_drop() returns event_trigger language plpgsql security definer
set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
    affected oid[];
begin
    if pg_catalog.current_setting('migration_gate.is_comparing', true) = 'on' then
        return;
    end if;
    with dropped as (
        select d.* from pg_event_trigger_dropped_objects() d
        where not d.is_temporary and d.schema_name is distinct from 'migration_gate'
          -- What Postgres itself makes for a table and for a foreign key has the oid in its name: another one in each run.
          and d.schema_name is distinct from 'pg_toast'
          and not (d.object_type = 'trigger' and d.address_names[3] like 'RI\_ConstraintTrigger\_%')
    ),
    inserted as (
        insert into migration_gate.ddl_log (step, tag, kind, identity, oid, dropped, query)
        select migration_gate.current_step(), tg_tag, d.object_type, d.object_identity, d.objid, d.objsubid = 0,
               migration_gate.logged_query()
        from dropped d
        where d.object_type in ('table', 'foreign table', 'table column', 'index', 'sequence', 'type', 'domain', 'view',
                                'materialized view', 'composite type', 'function', 'procedure', 'aggregate', 'trigger',
                                'policy', 'rule', 'table constraint', 'schema', 'extension', 'statistics object')
    )
    select array(
        select case when d.object_type = 'table column' then d.objid
                    when d.object_type in ('table constraint', 'default value')
                    then to_regclass(quote_ident(d.address_names[1]) || '.' || quote_ident(d.address_names[2]))::oid
                    when d.object_type = 'index' then (
                        select l.oid from migration_gate.ddl_log l where l.indexes @> array[d.objid]
                        order by l.id desc limit 1) end
        from dropped d
        where d.object_type in ('table column', 'table constraint', 'default value', 'index')
          and not (d.original and tg_tag in ('ALTER TABLE', 'ALTER FOREIGN TABLE')))
    into affected;
    affected := array(
        select distinct c.oid from pg_catalog.pg_class c
        where c.oid = any (affected) and not exists (
            select from pg_event_trigger_dropped_objects() d
            where d.objid = c.oid and d.original and d.object_type = 'table column' and tg_tag like 'ALTER %TABLE'));
    if tg_tag = 'DROP INDEX' then
        affected := migration_gate.log_dropped_indexes(affected, array(
            select d.objid from pg_event_trigger_dropped_objects() d where d.object_type = 'index'));
    end if;
    if affected <> '{}' then
        perform migration_gate.log_changed_states(tg_tag, affected, '{}');
    end if;
end $$;

-- Log the indexes that a command has dropped of tables with many. Returns the other ones of these tables.
create function migration_gate.log_dropped_indexes(tables oid[], dropped oid[]) returns oid[] language plpgsql as $$
declare
    rest oid[] := '{}';
    one oid;
begin
    foreach one in array tables loop
        if cardinality(tables) > 1 or cardinality(dropped) > 1 or not migration_gate.has_many_indexes(one) then
            rest := rest || one;
        else
            insert into migration_gate.ddl_log (step, tag, kind, identity, oid, query, state, parents)
            select migration_gate.current_step(), 'DROP INDEX',
                   case c.relkind when 'm' then 'materialized view' else 'table' end, c.oid::regclass::text, c.oid,
                   migration_gate.logged_query(), '-' || dropped[1], migration_gate.parent_tables(c.oid)
            from pg_catalog.pg_class c where c.oid = one;
        end if;
    end loop;
    return rest;
end $$;

-- Log everything that differs from the last logged state: for a server that allows us no event triggers, and for
-- what changes the names of a whole schema.
create function migration_gate.log_changes() returns void language plpgsql security definer set search_path = ''
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
    schemas oid[];
begin
    schemas := array(
        select n.oid from pg_catalog.pg_namespace n
        where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'migration_gate'));
    insert into migration_gate.ddl_log (step, tag, kind, identity, oid, dropped)
    select migration_gate.current_step(), 'SEEN', l.kind, l.identity, l.oid, true
    from (
        select distinct on (l.oid) l.* from migration_gate.ddl_log l
        where l.oid <> 0 and (l.state is not null or l.dropped) order by l.oid, l.id desc) l
    where not l.dropped
      and not exists (select from pg_catalog.pg_class c where c.oid = l.oid)
      and not exists (select from pg_catalog.pg_type t where t.oid = l.oid);
    perform migration_gate.log_changed_states('SEEN',
        array(select c.oid from pg_catalog.pg_class c
              where c.relkind in ('r', 'p', 'f', 'S', 'v', 'm') and c.relnamespace = any (schemas)
                and not exists (select from pg_catalog.pg_depend e
                                where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid and e.deptype = 'e')),
        array(select t.oid from pg_catalog.pg_type t left join pg_catalog.pg_class c on c.oid = t.typrelid
              where (t.typtype in ('e', 'd', 'r') or c.relkind = 'c') and t.typnamespace = any (schemas)
                and not exists (select from pg_catalog.pg_depend e
                                where e.classid = 'pg_catalog.pg_type'::regclass and e.objid = t.oid and e.deptype = 'e')));
    insert into migration_gate.ddl_log (step, tag, kind, identity, oid)
    select migration_gate.current_step(), 'SEEN', o.type, o.identity, p.oid
    from pg_catalog.pg_proc p
    cross join lateral pg_catalog.pg_identify_object('pg_catalog.pg_proc'::regclass, p.oid, 0) o
    where p.pronamespace = any (schemas)
      and not exists (select from migration_gate.ddl_log l where l.oid = p.oid)
      and not exists (select from pg_catalog.pg_depend e
                      where e.classid = 'pg_catalog.pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e')
    order by p.oid;
end $$;
