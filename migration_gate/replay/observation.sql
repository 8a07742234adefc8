-- Observes looked-at revisions: after each DDL command, and after each statement that the worker knows of, a line in
-- the server's log with the locks that the session holds on what stood before, the tables that it has read through,
-- and the files that have changed. Between these lines the server itself logs each statement, and, at DEBUG1, which
-- table it rewrites or verifies and which index it builds.
-- Run after ddl_log.sql, by a superuser, if the run has revisions to look at. What stands in braces depends on where
-- the gate reads that: see observation_log.py. On a server that it did not start it reads what the server sends to the
-- sessions; then observation_notices.sql is run first.

-- The relations that stand before the first looked-at revision, under the names that they have then.
create table migration_gate.base_relation (
    oid oid primary key,
    schema text not null,
    name text not null,
    kind "char" not null,
    table_name text, -- of an index
    file oid not null -- relfilenode
);
-- The relations that looked-at revisions have made: they do not stand before a later one of them either.
create table migration_gate.made_relation (oid oid primary key);

create function migration_gate.list_relations() returns setof migration_gate.base_relation language sql stable
set search_path = '' as $$
select c.oid, n.nspname, c.relname, c.relkind,
       (select t.relname from pg_catalog.pg_index i join pg_catalog.pg_class t on t.oid = i.indrelid
        where i.indexrelid = c.oid),
       c.relfilenode
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f', 'm', 'v', 'S', 'i', 'I') and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'migration_gate')
$$;

-- Remember what stands now. Returns whether the session holds locks on it: those of earlier revisions, which run in
-- the same transaction.
create function migration_gate.keep_base(forget boolean) returns boolean language plpgsql security definer
set search_path = '' as $$
begin
    if forget then
        delete from migration_gate.base_relation;
        delete from migration_gate.made_relation;
    end if;
    insert into migration_gate.base_relation
    select l.* from migration_gate.list_relations() l
    where not exists (select from migration_gate.made_relation m where m.oid = l.oid)
    on conflict (oid) do update
    set schema = excluded.schema, name = excluded.name, table_name = excluded.table_name, file = excluded.file;
    return exists (
        select from pg_catalog.pg_locks l join migration_gate.base_relation b on b.oid = l.relation
        where l.pid = pg_backend_pid() and l.locktype = 'relation' and l.granted
          and l.mode not in ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock'));
end $$;

create function migration_gate.keep_made() returns void language sql security definer set search_path = '' as $$
insert into migration_gate.made_relation
select l.oid from migration_gate.list_relations() l
where not exists (select from migration_gate.base_relation b where b.oid = l.oid)
on conflict do nothing
$$;

-- Log one point of the observation. Settings of the session that a migration has changed are set again, and the line
-- says so: what came before it may not be in the log.
create function migration_gate.observe(
    point text, step int, number int, line int, in_block boolean, tag text, targets jsonb
) returns void language plpgsql security definer set search_path = '' set plan_cache_mode = force_generic_plan
set enable_seqscan = off set jit = off set log_min_error_statement = 'panic' set log_error_verbosity = 'default' as $$
declare
    was_blind constant boolean := {was_blind};
    entry jsonb;
    state jsonb;
    digest text;
    wants_files boolean;
begin
    if was_blind then
        {begin_messages}
        perform set_config('migration_gate.observed', 'on', false);
    end if;
    -- pg_locks is read once: it is long where a transaction has made thousands of relations.
    state := (
        with held as materialized (
            select l.locktype, l.virtualtransaction, l.database, l.relation, l.mode
            from pg_catalog.pg_locks l
            where l.pid = pg_backend_pid() and l.granted
              and (l.locktype = 'virtualxid' or l.locktype = 'relation' and l.mode <> 'AccessShareLock'))
        select jsonb_build_object(
            'transaction', (select h.virtualtransaction from held h where h.locktype = 'virtualxid' limit 1),
            'locks', (
                select coalesce(jsonb_agg(jsonb_build_array(h.relation::bigint, h.mode, n.nspname, c.relname)), '[]')
                from held h
                join migration_gate.base_relation b on b.oid = h.relation
                left join pg_catalog.pg_class c on c.oid = h.relation
                left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                where h.locktype = 'relation'
                  and h.database = (
                      select d.oid from pg_catalog.pg_database d where d.datname = current_database()))));
    wants_files := point <> 'statement' or not in_block
        or exists (select from jsonb_array_elements(state -> 'locks') l where l ->> 1 = 'AccessExclusiveLock');
    if wants_files then
        state := state || jsonb_build_object(
            'files', (
                select coalesce(jsonb_agg(jsonb_build_array(b.oid::bigint, c.relfilenode::bigint)), '[]')
                from migration_gate.base_relation b join pg_catalog.pg_class c on c.oid = b.oid
                where b.file <> c.relfilenode));
    end if;
    entry := jsonb_build_object(
        'point', point, 'step', step, 'number', number, 'line', line, 'in_block', in_block, 'tag', tag,
        'targets', targets, 'was_blind', was_blind,
        'scans', (
            select coalesce(jsonb_agg(jsonb_build_array(b.oid::bigint, s.number)), '[]')
            from migration_gate.base_relation b
            cross join lateral pg_stat_get_xact_numscans(b.oid) s (number)
            where b.kind in ('r', 'p', 'm') and s.number > 0),
        'lock_timeout', migration_gate.timeout_in_force('lock_timeout'),
        'statement_timeout', migration_gate.timeout_in_force('statement_timeout'));
    if point in ('begin', 'held', 'kept') then
        entry := entry || jsonb_build_object('relations', (
            select coalesce(jsonb_agg(jsonb_build_array(b.oid::bigint, b.schema, b.name, b.kind, b.table_name)), '[]')
            from migration_gate.base_relation b));
    end if;
    -- The same state is not logged again: a revision may have thousands of statements.
    digest := md5(state::text);
    entry := entry || jsonb_build_object('digest', digest);
    if digest is distinct from current_setting('migration_gate.point', true) or point in ('begin', 'held', 'kept', 'join') then
        perform set_config('migration_gate.point', digest, false);
        entry := entry || jsonb_build_object('state', state);
    end if;
    raise {level} 'migration_gate point: %', entry;
end $$;

-- Milliseconds; 0 if none is set, or if it is the gate's own limit, which is the database's. The view of all settings
-- is read only if there is one: that is slow.
create function migration_gate.timeout_in_force(name text) returns int language plpgsql stable as $$
begin
    if current_setting($1) = '0' then
        return 0;
    end if;
    return (select case s.source when 'database' then 0 else s.setting::int end
            from pg_catalog.pg_settings s where s.name = $1);
end $$;

create function migration_gate.end_observation(step int) returns void language plpgsql security definer
set search_path = '' as $$
begin
    perform migration_gate.observe('end', step, null, null, null, null, null);
    {end_messages}
    perform set_config('migration_gate.observed', 'off', false);
end $$;

-- Commands of an extension's script are left out: they make what is the extension's, under settings of Postgres' own.
create function migration_gate.observe_command() returns event_trigger language plpgsql security definer
set search_path = '' as $$
declare
    targets jsonb;
    is_of_extension boolean;
begin
    if pg_catalog.current_setting('migration_gate.observed', true) is distinct from 'on'
        or pg_catalog.current_setting('migration_gate.is_comparing', true) = 'on' then
        return;
    end if;
    select jsonb_agg(distinct jsonb_build_array(r.oid::bigint, c.relname, b.oid is not null))
               filter (where c.oid is not null),
           bool_and(d.in_extension)
    into targets, is_of_extension
    from pg_event_trigger_ddl_commands() d
    cross join lateral (select migration_gate.owning_relation(d.classid, d.objid) as oid) r
    left join pg_catalog.pg_class c on c.oid = r.oid
    left join migration_gate.base_relation b on b.oid = r.oid;
    if is_of_extension is distinct from true then
        perform migration_gate.observe('command', null, null, null, null, tg_tag, targets);
    end if;
    {end_command}
end $$;

create event trigger migration_gate_observation on ddl_command_end execute function migration_gate.observe_command();
alter event trigger migration_gate_observation enable always;
