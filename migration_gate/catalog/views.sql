select r.oid::bigint as oid, r.schema, r.name,
       case r.kind when 'm' then 'materialized view' else 'view' end as kind,
       pg_get_viewdef(r.oid) as definition,
       array(select o from unnest(r.options) o order by o) as options,
       obj_description(r.oid, 'pg_class') as comment
from relation r
where r.kind in ('v', 'm')
order by r.schema, r.name
