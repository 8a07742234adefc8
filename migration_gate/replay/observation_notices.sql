-- Has the sessions that are observed be sent what the server would log of them, on a server whose log the gate cannot
-- read: the proxy keeps it from the project's code again (postgres/session_log.py).
-- Run before observation.sql.

-- Whether what is set for the transaction holds longer than this statement.
create function migration_gate.is_in_block() returns boolean language sql stable as $$
select statement_timestamp() > transaction_timestamp()
$$;

-- Tell the proxy what the project's code wants now; `own` is what it has asked for when it opened the session.
create function migration_gate.tell_messages() returns void language plpgsql as $$
begin
    raise debug 'migration_gate messages: %', coalesce(
        nullif(current_setting('migration_gate.inner', true), ''),
        nullif(current_setting('migration_gate.messages', true), ''), 'own');
end $$;

-- Have the server send all from DEBUG1 on, in English, and tell the proxy which of it the project's code wants. Returns
-- whether the server may have kept something back until now. `is_inner`: called by an event trigger.
create function migration_gate.begin_messages(is_inner boolean) returns boolean language plpgsql as $$
declare
    level text := current_setting('client_min_messages');
    is_observed constant boolean := current_setting('migration_gate.observed', true) is not distinct from 'on';
    -- Else it is the level of a function or of CREATE EXTENSION, and ends with it.
    is_of_session constant boolean := not is_inner or current_query() ~* 'client_min_messages';
    -- What is set locally ends with the transaction, or savepoint, that the migration's own setting ends with: then it
    -- is told what holds again. Outside of a transaction block that would be at once.
    is_local constant boolean := is_observed and migration_gate.is_in_block();
begin
    if is_observed and level = 'debug1' then
        perform migration_gate.tell_messages();
        return false;
    end if;
    if level = 'debug1' then -- of an earlier revision
        level := migration_gate.wanted_messages();
    end if;
    if not is_observed then
        perform set_config('migration_gate.language', current_setting('lc_messages'), false),
                set_config('lc_messages', 'C', false);
    end if;
    if level not like 'debug%' then
        perform set_config('client_min_messages', 'debug1', is_local or not is_of_session);
    end if;
    perform set_config(
        case when is_of_session then 'migration_gate.messages' else 'migration_gate.inner' end, level,
        is_local or not is_of_session);
    raise debug 'migration_gate messages: %', level;
    return level not like 'debug%' or not is_observed;
end $$;

-- The level that the project's code wants in this session; of one that was observed from the start nobody has asked.
create function migration_gate.wanted_messages() returns text language sql stable as $$
select coalesce(nullif(current_setting('migration_gate.messages', true), ''), 'notice')
$$;

-- Return to the level of a function, or of CREATE EXTENSION, at the end of one of its commands.
create function migration_gate.end_command() returns void language plpgsql as $$
declare
    level constant text := current_setting('migration_gate.inner', true);
begin
    if level <> '' then
        perform set_config('migration_gate.inner', '', true);
        perform migration_gate.tell_messages();
        perform set_config('client_min_messages', level, true);
    end if;
end $$;

-- Have the session as the project's code wants it. After a transaction the level is the project's own, or still that of
-- the observation: the proxy goes on to take its messages out.
create function migration_gate.end_messages() returns void language plpgsql as $$
begin
    raise debug 'migration_gate messages: all';
    perform set_config('client_min_messages', migration_gate.wanted_messages(), migration_gate.is_in_block()),
            set_config('lc_messages', coalesce(nullif(current_setting('migration_gate.language', true), ''), 'C'), false);
end $$;

-- A migration may have changed the level in the text that runs: what its commands do is seen all the same.
create function migration_gate.observe_command_start() returns event_trigger language plpgsql security definer
set search_path = '' as $$
begin
    if pg_catalog.current_setting('migration_gate.observed', true) is not distinct from 'on'
        and pg_catalog.current_setting('migration_gate.is_comparing', true) is distinct from 'on' then
        perform migration_gate.begin_messages(true);
    end if;
end $$;

create event trigger migration_gate_messages on ddl_command_start execute function migration_gate.observe_command_start();
alter event trigger migration_gate_messages enable always;
