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

-- Whether something is read at this point that takes the longer, the more relations there are: always, until a revision
-- has read {budget} rows of it, or {lock_budget} of locks. From then on, while a transaction lasts, only at so many points
-- that each costs {rows_per_point} rows: one that holds the locks of ten thousand tables would read all of them ten
-- thousand times.
create function migration_gate.is_due(name text, point text, in_block boolean) returns boolean language plpgsql as $$
declare
    budget constant bigint := case name when 'locks' then {lock_budget} else {budget} end;
    waiting bigint;
begin
    if migration_gate.read_number(name || '_spent') < budget or point not in ('command', 'statement')
        or in_block is not distinct from false then
        return true;
    end if;
    waiting := 1 + migration_gate.read_number(name || '_waiting');
    if waiting * {rows_per_point} >= migration_gate.read_number(name || '_size')
        or txid_current_if_assigned() is distinct from nullif(migration_gate.read_number(name || '_transaction'), 0) then
        return true;
    end if;
    perform set_config('migration_gate.' || name || '_waiting', waiting::text, false);
    return false;
end $$;

-- What the session remembers; 0 if a migration has reset it.
create function migration_gate.read_number(name text) returns bigint language plpgsql as $$
begin
    return coalesce(nullif(current_setting('migration_gate.' || name, true), ''), '0');
end $$;

create function migration_gate.count_reading(name text, size bigint, is_first boolean) returns void language plpgsql as $$
begin
    perform set_config('migration_gate.' || name || '_spent',
                case when is_first then 0 else size + migration_gate.read_number(name || '_spent') end::text, false),
            set_config('migration_gate.' || name || '_size', size::text, false),
            set_config('migration_gate.' || name || '_waiting', '0', false),
            set_config('migration_gate.' || name || '_transaction', coalesce(txid_current_if_assigned()::text, ''), false);
end $$;

-- A list as it is logged: the same one is not logged again, and of a long one only what is new and what is gone since
-- the session logged it last, because a revision may have thousands of statements. (Where a savepoint is rolled back,
-- so is what the session remembers; so the entry says which list it follows on.)
create function migration_gate.log_list(name text, items jsonb[], is_first boolean) returns jsonb language plpgsql as $$
declare
    texts constant text[] := array(select i.item::text from unnest(items) i (item));
    digest constant text := md5(array_to_string(texts, E'\n'));
    previous constant text := case when is_first then '' else current_setting('migration_gate.' || name, true) end;
    kept constant text[] := string_to_array(nullif(current_setting('migration_gate.' || name || '_items', true), ''), E'\n');
    added text[];
    removed text[];
begin
    if digest = previous then
        return jsonb_build_object('digest', digest);
    end if;
    perform set_config('migration_gate.' || name, digest, false);
    if cardinality(texts) > {many} or kept is not null then
        perform set_config('migration_gate.' || name || '_items',
            case when cardinality(texts) > {many} then array_to_string(texts, E'\n') else '' end, false);
    end if;
    if previous <> '' and kept is not null then
        added := array(select * from unnest(texts) except select * from unnest(kept));
        removed := array(select * from unnest(kept) except select * from unnest(texts));
        if cardinality(added) + cardinality(removed) < cardinality(texts) then
            return jsonb_build_object(
                'digest', digest, 'since', previous, 'items', to_jsonb(added::jsonb[]), 'gone', to_jsonb(removed::jsonb[]));
        end if;
    end if;
    return jsonb_build_object('digest', digest, 'items', to_jsonb(items));
end $$;

-- Log one point of the observation. Settings of the session that a migration has changed are set again, and the line
-- says so: what came before it may not be in the log.
create function migration_gate.observe(
    point text, step int, number int, line int, in_block boolean, tag text, targets jsonb
) returns void language plpgsql security definer set search_path = '' set plan_cache_mode = force_generic_plan
set enable_seqscan = off set jit = off set log_min_error_statement = 'panic' set log_error_verbosity = 'default' as $$
declare
    was_blind constant boolean := {was_blind};
    is_first constant boolean := point not in ('command', 'statement', 'end');
    begins constant boolean := point in ('begin', 'held', 'kept');
    entry jsonb;
    own_pid constant int := pg_backend_pid();
    newest_oid constant oid := (select b.oid from migration_gate.base_relation b order by b.oid desc limit 1);
    relations oid[];
    modes text[];
    locks jsonb[];
    lock_key text;
    items jsonb[];
    rows_read bigint;
    transaction text;
    reads_locks constant boolean := migration_gate.is_due('locks', point, in_block);
    -- A file changes only under ACCESS EXCLUSIVE.
    wants_files boolean := point <> 'statement' or not in_block or not reads_locks;
begin
    if was_blind then
        {begin_messages}
        perform set_config('migration_gate.observed', 'on', false);
    end if;
    entry := jsonb_build_object(
        'point', point, 'step', step, 'number', number, 'line', line, 'in_block', in_block, 'tag', tag,
        'targets', targets, 'was_blind', was_blind,
        'lock_timeout', migration_gate.timeout_in_force('lock_timeout'),
        'statement_timeout', migration_gate.timeout_in_force('statement_timeout'));
    if reads_locks then
        -- pg_locks is read once, and what a transaction has made is left out early: it may have made thousands of
        -- relations, whose oids are larger.
        select max(l.virtualtransaction), count(*), array_agg(l.relation) filter (where l.is_meant),
               array_agg(l.mode) filter (where l.is_meant)
        from (
            select k.virtualtransaction, k.relation, k.mode,
                   k.locktype = 'relation' and k.mode <> 'AccessShareLock' and k.relation <= newest_oid as is_meant
            from pg_catalog.pg_locks k where k.pid = own_pid and k.granted) l
        into transaction, rows_read, relations, modes;
        lock_key := md5(array_to_string(relations, ' ') || array_to_string(modes, ' '));
        wants_files := wants_files or coalesce('AccessExclusiveLock' = any (modes), false);
        perform migration_gate.count_reading('locks', rows_read, begins);
        -- Names change at commands, which have points of their own. To look up those of ten thousand locks takes long.
        if point = 'statement' and lock_key = current_setting('migration_gate.lock_key', true) then
            entry := entry || jsonb_build_object(
                'transaction', transaction,
                'locks', jsonb_build_object('digest', current_setting('migration_gate.locks')));
        else
            locks := array(
                select jsonb_build_array(h.relation::bigint, h.mode, n.nspname, c.relname)
                from unnest(relations, modes) h (relation, mode)
                join migration_gate.base_relation b on b.oid = h.relation
                left join pg_catalog.pg_class c on c.oid = h.relation
                left join pg_catalog.pg_namespace n on n.oid = c.relnamespace);
            entry := entry || jsonb_build_object(
                'transaction', transaction, 'locks', migration_gate.log_list('locks', locks, is_first));
            perform set_config('migration_gate.lock_key', lock_key, false);
        end if;
    end if;
    if migration_gate.is_due('relations', point, in_block) then
        perform migration_gate.count_reading('relations', coalesce(
            case when not is_first then nullif(migration_gate.read_number('relations_size'), 0) end,
            (select count(*) from migration_gate.base_relation)), begins);
        if wants_files then
            items := array(
                select jsonb_build_array(b.oid::bigint, c.relfilenode::bigint)
                from migration_gate.base_relation b join pg_catalog.pg_class c on c.oid = b.oid
                where b.file <> c.relfilenode);
            entry := entry || jsonb_build_object('files', migration_gate.log_list('files', items, is_first));
        end if;
        items := array(
            select jsonb_build_array(b.oid::bigint, s.number)
            from migration_gate.base_relation b
            cross join lateral pg_stat_get_xact_numscans(b.oid) s (number)
            where b.kind in ('r', 'p', 'm') and s.number > 0);
        entry := entry || jsonb_build_object('scans', migration_gate.log_list('scans', items, is_first));
    end if;
    if begins then
        entry := entry || jsonb_build_object('relations', (
            select coalesce(jsonb_agg(jsonb_build_array(b.oid::bigint, b.schema, b.name, b.kind, b.table_name)), '[]')
            from migration_gate.base_relation b));
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
