-- Whether there may be rows of `others` or `details`: few databases have some, and to plan and to run those queries
-- takes a third of the time that a catalog takes. Each part of them has its condition here, which may hold without
-- a row, and never the other way round. What initdb makes has an oid below 16384, and 6171 is pg_database_owner.
with login as materialized (select usesysid as role from pg_stat_get_activity(pg_backend_pid()))
select exists (select from pg_statistic_ext)
    or exists (select from pg_event_trigger where left(evtname, 14) <> 'migration_gate')
    or exists (select from pg_publication)
    or exists (select from pg_foreign_data_wrapper)
    or exists (select from pg_collation where oid >= 16384)
    or exists (select from pg_ts_config where oid >= 16384)
    or exists (select from pg_ts_dict where oid >= 16384)
    or exists (select from pg_operator where oid >= 16384)
    or exists (select from pg_opclass where oid >= 16384)
    or exists (select from pg_cast where oid >= 16384)
    or exists (select from pg_description where objoid >= 16384
               and classoid not in ('pg_class'::regclass, 'pg_namespace'::regclass, 'pg_type'::regclass,
                                    'pg_constraint'::regclass))
    or exists (select from pg_description d join pg_constraint c on c.oid = d.objoid
               where d.classoid = 'pg_constraint'::regclass and c.contypid <> 0)
    or exists (select from pg_description d join pg_class c on c.oid = d.objoid
               where d.classoid = 'pg_class'::regclass and d.objsubid > 0 and c.relkind in ('v', 'm', 'c'))
    or exists (select from pg_attribute where attnum > 0 and attrelid >= 16384 and not attisdropped
               and (attstattarget >= 0 or position('n_distinct' in attoptions::text) > 0))
    or exists (select from pg_class where relkind = 't' and reloptions is not null)
    or exists (select from pg_index where indisclustered and indrelid >= 16384)
    or exists (select from pg_trigger where tgisinternal and tgenabled in ('D', 'R'))
    or exists (select from pg_class where oid >= 16384 and relkind in ('r', 'p', 'f', 'v', 'm', 'S')
               and relowner <> (select role from login))
    or exists (select from pg_proc where oid >= 16384 and proowner <> (select role from login))
    or exists (select from pg_type where oid >= 16384 and typtype in ('e', 'd', 'r')
               and typowner <> (select role from login))
    or exists (select from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
               and nspowner <> (select role from login) and (nspname <> 'public' or nspowner <> 6171))
