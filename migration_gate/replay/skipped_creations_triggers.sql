-- Event triggers that notice statements which created nothing, because their object's name was taken, and commands
-- whose error PL/pgSQL caught. They run as the migration's user and with its search_path, so every name is qualified.

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
    if pg_catalog.current_setting('migration_gate.attempts', true) <> '' then
        perform migration_gate.finish_attempt();
    end if;
    if tg_tag not in ('CREATE TABLE', 'CREATE TABLE AS', 'CREATE INDEX', 'CREATE SEQUENCE', 'CREATE MATERIALIZED VIEW',
                      'CREATE SCHEMA', 'CREATE EXTENSION', 'ALTER TABLE') then
        return;
    end if;
    get diagnostics context = pg_context;
    statement := migration_gate.inner_statement(context);
    if pg_catalog.strpos(pg_catalog.upper(coalesce(statement, migration_gate.client_query())), 'EXISTS') > 0 then
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
    perform migration_gate.keep_failure(coalesce(statement, inner_statement, migration_gate.client_query()), sqlerrm);
end $$;

-- Before a command of a function or a DO block: its error may be caught there, which undoes everything that was
-- written in the database. So what is in the way, and what Postgres says of the command, go to the server's log.
create function migration_gate.log_attempt() returns event_trigger language plpgsql as $$
declare
    context text;
    statement text;
begin
    if pg_catalog.current_setting('migration_gate.is_comparing', true) = 'on' then
        return;
    end if;
    get diagnostics context = pg_context;
    statement := migration_gate.inner_statement(context);
    if statement is not null then
        perform migration_gate.report_attempt(tg_tag, statement, context);
    elsif pg_catalog.current_setting('migration_gate.attempts', true) <> '' then
        perform migration_gate.push_attempt(0); -- inside of another command, which ends later
    end if;
end $$;

create function migration_gate.report_attempt(tag text, statement text, context text) returns void language plpgsql as $$
declare
    pieces constant text[] := array(select migration_gate.split_sql(statement, ';'));
    comparison jsonb;
    number bigint := 0;
begin
    if statement !~* '\mIF\s+NOT\s+EXISTS\M' then
        comparison := migration_gate.compare_creation(pieces[1], migration_gate.current_path());
        if comparison -> 'wanted' is distinct from comparison -> 'existing' then
            perform migration_gate.write_log('skipped creation', migration_gate.build_row(comparison));
        end if;
    end if;
    if migration_gate.is_caught(context) then
        number := migration_gate.new_attempt();
        perform migration_gate.write_log('attempt', migration_gate.build_row(pg_catalog.jsonb_build_object(
            'number', number, 'tag', tag, 'statement', pg_catalog.left(statement, 2000),
            'is_compared', comparison is not null,
            'error', case when pg_catalog.cardinality(pieces) = 1 then migration_gate.try_statement(tag, pieces[1]) end)));
    end if;
    perform migration_gate.push_attempt(number);
exception when others then
    perform migration_gate.write_log('skipped creation', migration_gate.build_row(pg_catalog.jsonb_build_object(
        'kind', 'statement', 'name', pg_catalog.left(statement, 60), 'oid', 0, 'existing', '{}'::jsonb, 'problem', sqlerrm)));
    perform migration_gate.push_attempt(0);
end $$;

-- Whether a block around the command may catch its error: a function whose text cannot be found is taken to do so.
create function migration_gate.is_caught(context text) returns boolean language plpgsql stable as $$
begin
    if context ~* '\mEXCEPTION\s+WHEN\M' then
        return true;
    end if;
    return exists (
        select from pg_catalog.regexp_matches(context, 'PL/pgSQL function (.+?) line \d+ at', 'g') caller
        where caller[1] not like 'migration_gate.%' and case caller[1]
            when 'inline_code_block' then pg_catalog.current_query() ~* '\mEXCEPTION\s+WHEN\M'
            else coalesce((select p.prosrc ~* '\mEXCEPTION\s+WHEN\M' from pg_catalog.pg_proc p
                           where p.oid = pg_catalog.to_regprocedure(caller[1])), true) end);
end $$;

-- What Postgres says of a command that is about to run: it is run, and undone. Null where it succeeds, or where
-- running it twice would leave a trace: numbers of sequences are not given back.
create function migration_gate.try_statement(tag text, statement text) returns jsonb language plpgsql as $$
begin
    if tag in ('CREATE TABLE AS', 'SELECT INTO', 'CREATE MATERIALIZED VIEW', 'REFRESH MATERIALIZED VIEW')
        or statement ~* '\mnextval\M' then
        return null;
    end if;
    perform pg_catalog.set_config('migration_gate.is_comparing', 'on', true);
    perform pg_catalog.set_config('client_min_messages', 'error', true);
    perform pg_catalog.set_config('lock_timeout', '2s', true);
    execute statement;
    raise exception using errcode = 'MG001'; -- to roll back
exception
    when sqlstate 'MG001' then return null;
    when others then return pg_catalog.jsonb_build_object('message', sqlerrm, 'sqlstate', sqlstate);
end $$;

-- The commands that have begun and not ended, innermost last. An error that is caught takes the setting back to what
-- it was before the block.
create function migration_gate.push_attempt(number bigint) returns void language sql as $$
select pg_catalog.set_config('migration_gate.attempts', pg_catalog.concat_ws(
    ' ', nullif(pg_catalog.current_setting('migration_gate.attempts', true), ''), number), true)
$$;

create function migration_gate.finish_attempt() returns void language plpgsql security definer set search_path = '' as $$
declare
    numbers constant text[] := string_to_array(current_setting('migration_gate.attempts', true), ' ');
    number constant bigint := numbers[cardinality(numbers)];
begin
    if number > 0 then
        insert into migration_gate.finished_attempt values (number);
    end if;
    perform set_config('migration_gate.attempts', array_to_string(trim_array(numbers, 1), ' '), true);
end $$;

create function migration_gate.new_attempt() returns bigint language sql security definer set search_path = '' as $$
select nextval('migration_gate.attempt_number')
$$;

-- Into the server's log, without the whole statement of the client.
create function migration_gate.write_log(mark text, entry jsonb) returns void language plpgsql security definer
set search_path = '' set log_min_error_statement = 'panic' set log_error_verbosity = 'terse' as $$
begin
    raise log 'migration_gate %: %', mark, entry;
end $$;

create event trigger migration_gate_skipped on ddl_command_end execute function migration_gate.log_skipped();
create event trigger migration_gate_attempt on ddl_command_start execute function migration_gate.log_attempt();
