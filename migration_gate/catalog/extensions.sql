select x.oid::bigint as oid, x.extname::text as name, n.nspname::text as schema, x.extversion as version
from pg_extension x join pg_namespace n on n.oid = x.extnamespace
where x.extname <> 'plpgsql'
order by x.extname
