select r.oid::bigint as oid, r.schema, r.name,
       case r.kind when 'm' then 'materialized view' else 'view' end as kind,
       pg_get_viewdef(r.oid) as definition,
       array(select o from unnest(r.options) o order by o) as options,
       obj_description(r.oid, 'pg_class') as comment,
       array(select a.attname::text from pg_attribute a
             where a.attrelid = r.oid and a.attnum > 0 order by a.attnum) as column_names,
       array(select format_type(a.atttypid, a.atttypmod) from pg_attribute a
             where a.attrelid = r.oid and a.attnum > 0 order by a.attnum) as column_types
from relation r
where r.kind in ('v', 'm')
order by r.schema, r.name
