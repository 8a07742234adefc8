select t.oid::bigint as oid, s.name as schema, t.typname::text as name,
       array(select e.enumlabel::text from pg_enum e where e.enumtypid = t.oid order by e.enumsortorder) as labels,
       obj_description(t.oid, 'pg_type') as comment
from pg_type t join space s on s.oid = t.typnamespace
where t.typtype = 'e'
  and not exists (select from pg_depend e
                  where e.classid = 'pg_type'::regclass and e.objid = t.oid and e.deptype = 'e')
order by s.name, t.typname
