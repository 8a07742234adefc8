-- Only what differs from the privileges that Postgres gives to the owner by default.
select g.kind, g.name, array(select a::text from unnest(g.acl) a order by a::text) as acl
from (
  select 'schema' as kind, s.name, s.acl,
         (select acldefault('n', n.nspowner) from pg_namespace n where n.oid = s.oid) as own
  from space s
  union all
  select case r.kind when 'S' then 'sequence' else 'table' end, r.schema || '.' || r.name, r.acl,
         acldefault(case r.kind when 'S' then 's'::"char" else 'r'::"char" end, r.owner)
  from relation r where r.acl is not null
  union all
  select 'column', r.schema || '.' || r.name || '.' || a.attname, a.attacl, '{}'::aclitem[]
  from relation r join pg_attribute a on a.attrelid = r.oid and a.attacl is not null and not a.attisdropped
  union all
  select 'function', s.name || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
         p.proacl, acldefault('f', p.proowner)
  from pg_proc p join space s on s.oid = p.pronamespace
  where p.proacl is not null
    and not exists (select from pg_depend e
                    where e.classid = 'pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e')
  union all
  select 'type', s.name || '.' || t.typname, t.typacl, acldefault('T', t.typowner)
  from pg_type t join space s on s.oid = t.typnamespace
  where t.typacl is not null
    and not exists (select from pg_depend e
                    where e.classid = 'pg_type'::regclass and e.objid = t.oid and e.deptype = 'e')
  union all
  select 'default privileges',
         pg_get_userbyid(d.defaclrole)::text || coalesce(' in ' || n.nspname, '') || ' on '
         || case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions'
                 when 'T' then 'types' when 'n' then 'schemas' else 'large objects' end,
         d.defaclacl, '{}'::aclitem[]
  from pg_default_acl d left join pg_namespace n on n.oid = d.defaclnamespace
) g
where g.acl is not null
  and array(select a::text from unnest(g.acl) a order by a::text)
      is distinct from array(select a::text from unnest(g.own) a order by a::text)
order by g.kind, g.name
