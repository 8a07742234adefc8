-- All else that has a name and a definition. Columns that some versions of Postgres lack are read through to_jsonb.
select * from (
  select x.oid::bigint as oid, 'statistics' as kind, s.name || '.' || x.stxname as name,
         pg_get_statisticsobjdef(x.oid) as definition
  from pg_statistic_ext x join space s on s.oid = x.stxnamespace
  union all
  select x.oid::bigint, 'event trigger', x.evtname::text,
         'ON ' || x.evtevent || coalesce(' WHEN TAG IN (' || array_to_string(x.evttags, ', ') || ')', '')
         || ' EXECUTE FUNCTION ' || x.evtfoid::regproc::text || '()'
         || case x.evtenabled when 'O' then '' else ' (state ' || x.evtenabled::text || ')' end
  from pg_event_trigger x
  where left(x.evtname, 14) <> 'migration_gate'
  union all
  select x.oid::bigint, 'publication', x.pubname::text,
         case when x.puballtables then 'FOR ALL TABLES'
              else 'FOR TABLE ' || coalesce((
                select string_agg(quote_ident(n.nspname) || '.' || quote_ident(c.relname), ', '
                                  order by n.nspname, c.relname)
                from pg_publication_rel pr join pg_class c on c.oid = pr.prrelid
                join pg_namespace n on n.oid = c.relnamespace where pr.prpubid = x.oid), 'none') end
         || ' WITH (insert ' || x.pubinsert || ', update ' || x.pubupdate || ', delete ' || x.pubdelete
         || ', truncate ' || x.pubtruncate || ', via root ' || coalesce(to_jsonb(x)->>'pubviaroot', 'false') || ')'
  from pg_publication x
  union all
  select x.oid::bigint, 'collation', s.name || '.' || x.collname,
         coalesce(to_jsonb(x)->>'collprovider', '') || ' '
         || coalesce(to_jsonb(x)->>'colllocale', to_jsonb(x)->>'colliculocale', x.collcollate::text, '')
         || case when coalesce(to_jsonb(x)->>'collisdeterministic', 'true') = 'true' then ''
                 else ' not deterministic' end
  from pg_collation x join space s on s.oid = x.collnamespace
  where not exists (select from pg_depend e
                    where e.classid = 'pg_collation'::regclass and e.objid = x.oid and e.deptype = 'e')
  union all
  select x.oid::bigint, 'foreign server', x.srvname::text,
         'FOREIGN DATA WRAPPER ' || w.fdwname || coalesce(' TYPE ' || quote_literal(x.srvtype), '')
  from pg_foreign_server x join pg_foreign_data_wrapper w on w.oid = x.srvfdw
  union all
  select x.oid::bigint, 'text search configuration', s.name || '.' || x.cfgname,
         'PARSER ' || (select p.prsname from pg_ts_parser p where p.oid = x.cfgparser) || coalesce(' MAPPING ' || (
           select string_agg(m.maptokentype::text || ' ' || m.mapdict::regdictionary::text, ', '
                             order by m.maptokentype, m.mapseqno)
           from pg_ts_config_map m where m.mapcfg = x.oid), '')
  from pg_ts_config x join space s on s.oid = x.cfgnamespace
  where not exists (select from pg_depend e
                    where e.classid = 'pg_ts_config'::regclass and e.objid = x.oid and e.deptype = 'e')
  union all
  select x.oid::bigint, 'operator', s.name || '.' || x.oprname || ' ('
         || case when x.oprleft = 0 then 'NONE' else format_type(x.oprleft, null) end || ', '
         || case when x.oprright = 0 then 'NONE' else format_type(x.oprright, null) end || ')',
         'FUNCTION = ' || x.oprcode::regproc::text
  from pg_operator x join space s on s.oid = x.oprnamespace
  where not exists (select from pg_depend e
                    where e.classid = 'pg_operator'::regclass and e.objid = x.oid and e.deptype = 'e')
  union all
  select x.oid::bigint, 'cast', format_type(x.castsource, null) || ' AS ' || format_type(x.casttarget, null),
         case x.castmethod when 'f' then 'WITH FUNCTION ' || x.castfunc::regprocedure::text
              when 'i' then 'WITH INOUT' else 'WITHOUT FUNCTION' end
         || case x.castcontext when 'a' then ' AS ASSIGNMENT' when 'i' then ' AS IMPLICIT' else '' end
  from pg_cast x
  where x.oid >= 16384
    and not exists (select from pg_depend e
                    where e.classid = 'pg_cast'::regclass and e.objid = x.oid and e.deptype in ('e', 'i'))
) other
order by kind, name
