-- Comments, owners and settings that no other file has as a field; of options that may be passwords, the names. An
-- owner only if it is not the role that logged in: not current_user or session_user, which a migration's session may
-- have changed. Builds of Postgres keep options of their own with a column, which differ each time that it is made.
-- An unenforced constraint is what DISABLE TRIGGER ALL leaves: one row for each table whose triggers are off.
with login as materialized (select usesysid as role from pg_stat_get_activity(pg_backend_pid()))
select * from (
  select 'comment' as kind, i.type || ' ' || i.identity as name, m.comment as definition, 0::bigint as oid
  from remark m cross join lateral pg_identify_object(m.classoid, m.objoid, m.objsubid) i
  where (m.classoid not in ('pg_class'::regclass, 'pg_namespace'::regclass, 'pg_type'::regclass,
                            'pg_constraint'::regclass)
         or m.classoid = 'pg_constraint'::regclass
            and exists (select from pg_constraint c where c.oid = m.objoid and c.contypid <> 0)
         or m.objsubid > 0 and exists (select from pg_class c where c.oid = m.objoid and c.relkind in ('v', 'm', 'c')))
    and coalesce(i.schema, '') <> 'migration_gate'
    and not exists (select from pg_depend e
                    where e.classid = m.classoid and e.objid = m.objoid and e.deptype = 'e')
  union all
  select 'statistics target', r.schema || '.' || r.name || '.' || a.attname, a.attstattarget::text, 0
  from relation r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
  where a.attstattarget >= 0
  union all
  select 'statistics target', r.schema || '.' || c.relname || '.' || a.attname, a.attstattarget::text, 0
  from pg_index x join relation r on r.oid = x.indrelid join pg_class c on c.oid = x.indexrelid
  join pg_attribute a on a.attrelid = x.indexrelid and a.attstattarget >= 0
  union all
  select 'statistics target', s.name || '.' || x.stxname, to_jsonb(x)->>'stxstattarget', 0
  from pg_statistic_ext x join space s on s.oid = x.stxnamespace
  where (to_jsonb(x)->>'stxstattarget')::int >= 0
  union all
  select 'column options', r.schema || '.' || r.name || '.' || a.attname, string_agg(o, ', ' order by o), 0
  from relation r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
  cross join unnest(a.attoptions) o where split_part(o, '=', 1) in ('n_distinct', 'n_distinct_inherited')
  group by r.schema, r.name, a.attname
  union all
  select 'TOAST options', r.schema || '.' || r.name, array_to_string(t.reloptions, ', '), 0
  from relation r join pg_class c on c.oid = r.oid join pg_class t on t.oid = c.reltoastrelid
  where t.reloptions is not null
  union all
  select 'publication filter', p.pubname || ': ' || r.schema || '.' || r.name,
         concat_ws(' ', 'COLUMNS (' || (
           select string_agg(a.attname, ', ' order by a.attname) from pg_attribute a
           where a.attrelid = r.oid
             and a.attnum = any (translate(to_jsonb(x)->>'prattrs', '[]', '{}')::int2[])) || ')',
           'WHERE ' || (to_jsonb(t)->>'rowfilter')), 0
  from pg_publication_rel x join pg_publication p on p.oid = x.prpubid join relation r on r.oid = x.prrelid
  join pg_publication_tables t on t.pubname = p.pubname and t.schemaname = r.schema and t.tablename = r.name
  where coalesce(to_jsonb(x)->>'prattrs', to_jsonb(t)->>'rowfilter') is not null
  union all
  select 'published schema', p.pubname || ': ' || s.name, '', 0
  from pg_publication p
  join pg_depend x on x.refclassid = 'pg_publication'::regclass and x.refobjid = p.oid
    and x.classid = to_regclass('pg_catalog.pg_publication_namespace')
  join pg_depend y on y.classid = x.classid and y.objid = x.objid and y.refclassid = 'pg_namespace'::regclass
  join space s on s.oid = y.refobjid
  union all
  select 'cluster order', r.schema || '.' || r.name, 'BY ' || c.relname, 0
  from pg_index x join relation r on r.oid = x.indrelid join pg_class c on c.oid = x.indexrelid
  where x.indisclustered
  union all
  select distinct 'unenforced constraint',
         quote_ident(n.nspname) || '.' || quote_ident(c.relname) || '.' || quote_ident(k.conname)
         || ' on ' || quote_ident(r.schema) || '.' || quote_ident(r.name),
         pg_get_constraintdef(k.oid), 0::bigint
  from pg_trigger t join relation r on r.oid = t.tgrelid join pg_constraint k on k.oid = t.tgconstraint
  join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
  where t.tgisinternal and t.tgenabled in ('D', 'R') and k.contype <> 't'
  union all
  select 'owner', r.schema || '.' || r.name, pg_get_userbyid(r.owner)::text, 0
  from relation r where r.owner <> (select role from login)
  union all
  select 'owner', s.name || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
         pg_get_userbyid(p.proowner)::text, 0
  from pg_proc p join space s on s.oid = p.pronamespace
  where p.proowner <> (select role from login)
    and not exists (select from pg_depend e
                    where e.classid = 'pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e')
  union all
  select 'owner', s.name, pg_get_userbyid(n.nspowner)::text, 0
  from pg_namespace n join space s on s.oid = n.oid
  where n.nspowner <> (select role from login) and (s.name <> 'public' or n.nspowner <> 6171) -- pg_database_owner
  union all
  select 'owner', s.name || '.' || t.typname, pg_get_userbyid(t.typowner)::text, 0
  from pg_type t join space s on s.oid = t.typnamespace
  where t.typtype in ('e', 'd', 'r') and t.typowner <> (select role from login)
    and not exists (select from pg_depend e
                    where e.classid = 'pg_type'::regclass and e.objid = t.oid and e.deptype = 'e')
  union all
  select 'foreign data wrapper', x.fdwname::text, coalesce(array_to_string(x.fdwoptions, ', ', ''), ''), 0
  from pg_foreign_data_wrapper x
  where not exists (select from pg_depend e where e.classid = 'pg_foreign_data_wrapper'::regclass
                    and e.objid = x.oid and e.deptype = 'e')
  union all
  select 'server options', x.srvname::text, array_to_string(x.srvoptions, ', ', ''), 0
  from pg_foreign_server x where x.srvoptions is not null
  union all
  select 'user mapping', x.usename || ' on ' || x.srvname,
         array_to_string(array(select split_part(o, '=', 1) from unnest(x.umoptions) o), ', '), 0
  from pg_user_mappings x
  union all
  select 'foreign table options', r.schema || '.' || r.name, array_to_string(x.ftoptions, ', '), 0
  from pg_foreign_table x join relation r on r.oid = x.ftrelid where x.ftoptions is not null
  union all
  select 'operator class', s.name || '.' || x.opcname || ' USING ' || m.amname,
         'FOR TYPE ' || format_type(x.opcintype, null), 0
  from pg_opclass x join space s on s.oid = x.opcnamespace join pg_am m on m.oid = x.opcmethod
  where not exists (select from pg_depend e
                    where e.classid = 'pg_opclass'::regclass and e.objid = x.oid and e.deptype = 'e')
  union all
  select 'text search dictionary', s.name || '.' || x.dictname, coalesce(x.dictinitoption, ''), 0
  from pg_ts_dict x join space s on s.oid = x.dictnamespace
  where not exists (select from pg_depend e
                    where e.classid = 'pg_ts_dict'::regclass and e.objid = x.oid and e.deptype = 'e')
) detail
order by kind, name
