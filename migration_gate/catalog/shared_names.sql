-- The same of all that has a name which the definitions of relations print, and is neither a relation nor a column:
-- schemas, functions, labels of enums, types but for those of rows, and so on. What initdb makes is not renamed by
-- migrations (but for the schema public), and has an oid below 16384.
with written (by_transaction, catalog) as (
  select xmin, 1 from pg_namespace
  union all
  select xmin, 2 from pg_proc where oid >= 16384
  union all
  select xmin, 3 from pg_enum
  union all
  select xmin, 4 from pg_operator where oid >= 16384
  union all
  select xmin, 5 from pg_opclass where oid >= 16384
  union all
  select xmin, 6 from pg_collation where oid >= 16384
  union all
  select xmin, 7 from pg_ts_config where oid >= 16384
  union all
  select xmin, 8 from pg_ts_dict where oid >= 16384
  union all
  select xmin, 9 from pg_am where oid >= 16384
  union all
  select xmin, 10 from pg_extension
  union all
  select t.xmin, 11
  from pg_type t
  left join pg_type e on e.oid = t.typelem and t.typcategory = 'A'
  left join pg_class c on c.oid = coalesce(e.typrelid, t.typrelid) and c.relkind <> 'c'
  where t.oid >= 16384 and c.oid is null
  union all
  select a.xmin, 12 from pg_class c join pg_attribute a on a.attrelid = c.oid where c.relkind = 'c'
)
select count(*), sum(hashint8((select age('3'::xid))::bigint - nullif(age(by_transaction), 2147483647) + catalog)) from written
