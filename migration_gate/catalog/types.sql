-- The definition is what stands after the name in CREATE DOMAIN or CREATE TYPE. A table's row type is the table's.
select t.oid::bigint as oid, s.name as schema, t.typname::text as name,
       case t.typtype when 'd' then 'domain' when 'c' then 'composite' else 'range' end as kind,
       case t.typtype
         when 'd' then 'AS ' || format_type(t.typbasetype, t.typtypmod)
           || coalesce((select ' COLLATE ' || quote_ident(n.nspname) || '.' || quote_ident(k.collname)
                        from pg_collation k join pg_namespace n on n.oid = k.collnamespace
                        join pg_catalog.pg_type b on b.oid = t.typbasetype
                        where k.oid = t.typcollation and t.typcollation <> b.typcollation), '')
           || coalesce(' DEFAULT ' || pg_get_expr(t.typdefaultbin, 0), '')
           || case when t.typnotnull then ' NOT NULL' else '' end
           || coalesce((select string_agg(' CONSTRAINT ' || quote_ident(c.conname) || ' '
                                          || pg_get_constraintdef(c.oid), '' order by c.conname)
                        from pg_constraint c where c.contypid = t.oid and c.contype = 'c'), '')
         when 'c' then 'AS ('
           || coalesce((select string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod),
                                          ', ' order by a.attnum)
                        from pg_attribute a
                        where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped), '') || ')'
         else (select 'AS RANGE (SUBTYPE = ' || format_type(g.rngsubtype, null)
                 || case when g.rngsubdiff <> 0 then ', SUBTYPE_DIFF = ' || g.rngsubdiff::regproc::text else '' end
                 || ')' from pg_range g where g.rngtypid = t.oid)
       end as definition,
       obj_description(t.oid, 'pg_type') as comment
from pg_type t join space s on s.oid = t.typnamespace
where (t.typtype in ('d', 'r')
       or t.typtype = 'c' and exists (select from pg_class c where c.oid = t.typrelid and c.relkind = 'c'))
  and not exists (select from pg_depend e
                  where e.classid = 'pg_type'::regclass and e.objid = t.oid and e.deptype = 'e')
order by s.name, t.typname
