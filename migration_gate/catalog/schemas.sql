select s.oid::bigint as oid, s.name, obj_description(s.oid, 'pg_namespace') as comment
from space s
order by s.name
