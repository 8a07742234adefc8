select p.oid::bigint as oid, s.name as schema, p.proname::text as name,
       pg_get_function_identity_arguments(p.oid) as signature,
       case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end as kind,
       case when p.prokind <> 'a' then pg_get_functiondef(p.oid)
            else (select 'SFUNC = ' || g.aggtransfn::regproc::text || ', STYPE = '
                         || format_type(g.aggtranstype, null)
                         || case when g.aggfinalfn <> 0 then ', FINALFUNC = ' || g.aggfinalfn::regproc::text
                                 else '' end
                         || coalesce(', INITCOND = ' || quote_literal(g.agginitval), '')
                  from pg_aggregate g where g.aggfnoid = p.oid) end as definition
from pg_proc p join space s on s.oid = p.pronamespace
where not exists (select from pg_depend e
                  where e.classid = 'pg_proc'::regclass and e.objid = p.oid and e.deptype in ('e', 'i'))
order by s.name, p.proname, 4
