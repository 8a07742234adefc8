-- Event triggers that notice statements which created nothing, because their object's name was taken. They run as
-- the migration's user and with its search_path, so every name is qualified.

-- The statement that a function or a DO block runs; null for one that a client sent.
create function migration_gate.inner_statement(context text) returns text language sql immutable as $$
select (pg_catalog.regexp_match(context, '\nSQL statement "(.*?)"\nPL/pgSQL function '))[1]
$$;

-- At the end of a command: IF NOT EXISTS may have left something out. An ALTER TABLE does not tell; what it has
-- just added is as it was wanted.
create function migration_gate.log_skipped() returns event_trigger language plpgsql as $$
declare
    context text;
    statement text;
begin
    if pg_catalog.current_setting('migration_gate.is_comparing', true) = 'on' then
        return;
    end if;
    get diagnostics context = pg_context;
    statement := migration_gate.inner_statement(context);
    if pg_catalog.strpos(pg_catalog.upper(coalesce(statement, pg_catalog.current_query())), 'EXISTS') > 0 then
        perform migration_gate.log_if_skipped(tg_tag, statement);
    end if;
end $$;

create function migration_gate.log_if_skipped(tag text, inner_statement text) returns void language plpgsql as $$
declare
    statement text;
begin
    statement := coalesce((select piece from migration_gate.split_sql(inner_statement, ';') piece limit 1),
                          migration_gate.outer_statement(tag));
    if statement ~* '\mIF\s+NOT\s+EXISTS\M'
        and (tag = 'ALTER TABLE' or not exists (select from pg_catalog.pg_event_trigger_ddl_commands())) then
        perform migration_gate.log_conflict(statement, migration_gate.current_path());
    end if;
exception when others then -- the migration does not fail for what cannot be compared
    perform migration_gate.keep_failure(coalesce(statement, inner_statement, pg_catalog.current_query()), sqlerrm);
end $$;

-- Before a command of a function or a DO block: its error may be caught there, which undoes everything that was
-- written in the database. So what is in the way goes to the server's log.
create function migration_gate.log_attempt() returns event_trigger language plpgsql as $$
declare
    context text;
    statement text;
begin
    get diagnostics context = pg_context;
    statement := migration_gate.inner_statement(context);
    if statement is null or statement ~* '\mIF\s+NOT\s+EXISTS\M'
        or pg_catalog.current_setting('migration_gate.is_comparing', true) = 'on' then
        return;
    end if;
    perform migration_gate.report_attempt(statement);
end $$;

create function migration_gate.report_attempt(statement text) returns void language plpgsql as $$
declare
    comparison jsonb;
begin
    comparison := migration_gate.compare_creation(
        (array(select migration_gate.split_sql(statement, ';')))[1], migration_gate.current_path());
    if comparison -> 'wanted' is distinct from comparison -> 'existing' then
        raise log 'migration_gate skipped creation: %', migration_gate.build_row(comparison);
    end if;
exception when others then
    raise log 'migration_gate skipped creation: %', migration_gate.build_row(pg_catalog.jsonb_build_object(
        'kind', 'statement', 'name', pg_catalog.left(statement, 60), 'oid', 0, 'existing', '{}'::jsonb, 'problem', sqlerrm));
end $$;

create event trigger migration_gate_skipped on ddl_command_end
    when tag in ('CREATE TABLE', 'CREATE TABLE AS', 'CREATE INDEX', 'CREATE SEQUENCE', 'CREATE MATERIALIZED VIEW',
                 'CREATE SCHEMA', 'CREATE EXTENSION', 'ALTER TABLE')
    execute function migration_gate.log_skipped();
create event trigger migration_gate_attempt on ddl_command_start
    when tag in ('CREATE TABLE', 'CREATE TABLE AS', 'CREATE INDEX', 'CREATE SEQUENCE', 'CREATE MATERIALIZED VIEW', 'CREATE VIEW',
                 'CREATE TYPE', 'CREATE DOMAIN', 'CREATE TRIGGER', 'CREATE POLICY', 'ALTER TABLE')
    execute function migration_gate.log_attempt();
