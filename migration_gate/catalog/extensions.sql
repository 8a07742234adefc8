select x.oid::bigint as oid, x.extname::text as name, n.nspname::text as schema, x.extversion as version,
  array(select m.nspname || '.' || c.relname
    from pg_depend d join pg_class c on c.oid = d.objid and d.classid = 'pg_class'::regclass
      join pg_namespace m on m.oid = c.relnamespace
    where d.refclassid = 'pg_extension'::regclass and d.refobjid = x.oid and d.deptype = 'e'
      and c.relkind in ('r', 'p', 'f') order by 1) as tables
from pg_extension x join pg_namespace n on n.oid = x.extnamespace
where x.extname <> 'plpgsql'
order by x.extname
