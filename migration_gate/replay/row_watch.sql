-- Keeps the rows of some tables after each statement of one revision, which runs again in a copy with rows. The worker
-- calls `observe` after each statement, as where locks are observed (observation.sql): here it reads rows instead.
-- What is kept is a part of the migration's transaction: what is rolled back is gone from here, too.
-- Run by a superuser, in a database that has the schema `migration_gate`. {settings}: those of the session that
-- reads rows before and after, so that values are written in the same way.

create table migration_gate.known_table (oid oid primary key, is_watched boolean not null);
create table migration_gate.watched_rows (session int not null, number int not null, tables jsonb not null);

create or replace function migration_gate.keep_base(forget boolean) returns boolean language sql
set search_path = '' as 'select false';

create or replace function migration_gate.end_observation(step int) returns void language plpgsql
set search_path = '' as 'begin end';

-- The watched tables, and those that were not there before: `{oid: {schema, name, columns, rows}}`; rows is null where
-- there are too many.
create function migration_gate.read_watched() returns jsonb language plpgsql security definer
set search_path = '' set lock_timeout = '1s' {settings} as $$
declare
    found record;
    rows jsonb;
    tables jsonb := '{}';
begin
    for found in
        select c.oid, n.nspname, c.relname,
               (select jsonb_agg(jsonb_build_array(
                           a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attgenerated <> '',
                           coalesce((select a.attnum = any (x.indkey) from pg_catalog.pg_index x
                                     where x.indrelid = c.oid and x.indisprimary), false)) order by a.attnum)
                from pg_catalog.pg_attribute a
                where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        left join migration_gate.known_table k on k.oid = c.oid
        where c.relkind in ('r', 'p') and n.nspname !~ '^pg_'
          and n.nspname not in ('information_schema', 'migration_gate') and k.is_watched is distinct from false
    loop
        execute format('select case when count(*) <= {most} then coalesce(jsonb_agg(to_jsonb(t.*)), ''[]'') end '
                       'from (select * from %I.%I limit {most} + 1) t', found.nspname, found.relname) into rows;
        tables := tables || jsonb_build_object(found.oid::bigint, jsonb_build_object(
            'schema', found.nspname, 'name', found.relname, 'columns', coalesce(found.columns, '[]'), 'rows', rows));
    end loop;
    return tables;
end $$;

create or replace function migration_gate.observe(
    point text, step int, number int, line int, in_block boolean, tag text, targets jsonb
) returns void language plpgsql security definer set search_path = '' as $$
begin
    if point = 'statement' then
        insert into migration_gate.watched_rows values (pg_backend_pid(), number, migration_gate.read_watched());
    end if;
exception when others then
    null; -- the statement's rows are not known then, and the statement is none the worse for it
end $$;
