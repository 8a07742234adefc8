-- For a server whose log the gate cannot read: what an event trigger has to say before an error may undo it is kept
-- as prepared statements of the session, which no rollback takes away, until the next step begins.
create sequence migration_gate.entry_number;
create or replace function migration_gate.write_log(mark text, entry jsonb) returns void language plpgsql security definer
set search_path = '' as $$
begin
    execute format('prepare %I as select %L, %L::jsonb',
                   format('migration_gate %s', to_char(nextval('migration_gate.entry_number'), 'FM00000000')), mark, entry);
end $$;

create or replace function migration_gate.keep_attempts() returns void language plpgsql security definer
set search_path = '' as $$
declare
    name text;
    mark text;
    entry jsonb;
begin
    for name in select p.name from pg_catalog.pg_prepared_statements p where p.name like 'migration\_gate %' order by p.name loop
        execute format('execute %I', name) into mark, entry;
        execute format('deallocate %I', name);
        if mark = 'attempt' then
            insert into migration_gate.kept_attempt values (entry);
        else
            perform migration_gate.keep_creation(entry);
        end if;
    end loop;
end $$;
