-- What all other queries use: the project's schemas, the relations in them that belong to no extension, and the
-- comments (joined, because obj_description() of each row costs more than the rest of the row; not materialized, because
-- thousands of them would be gone through for each row where the statistics are old).
space as materialized (
  select n.oid, n.nspname::text as name, n.nspacl as acl
  from pg_namespace n
  where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'migration_gate')
    and not exists (select from pg_depend e
                    where e.classid = 'pg_namespace'::regclass and e.objid = n.oid and e.deptype = 'e')
),
relation as materialized (
  select c.oid, s.name as schema, c.relname::text as name, c.relkind as kind, c.relpersistence as persistence,
         c.relispartition as is_partition, c.relrowsecurity as row_security,
         c.relforcerowsecurity as force_row_security, c.relreplident as replica_identity,
         c.reloptions as options, c.relpartbound as bound, c.relacl as acl, c.relowner as owner
  from pg_class c join space s on s.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'f', 'v', 'm', 'S')
    and not exists (select from pg_depend e
                    where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e')
),
remark as not materialized (
  select d.classoid, d.objoid, d.objsubid, d.description as comment
  from pg_description d where d.objoid >= 16384
)
