-- The same of all that has a name which the definitions of relations print, or decides how that is printed, and is
-- neither a relation nor a column: schemas, functions, casts, labels of enums, types but for those of rows, and so on.
with written (by_transaction) as (
  select xmin from pg_namespace
  union all
  select xmin from pg_proc
  union all
  select xmin from pg_enum
  union all
  select xmin from pg_operator
  union all
  select xmin from pg_opclass
  union all
  select xmin from pg_cast
  union all
  select xmin from pg_collation
  union all
  select xmin from pg_ts_config
  union all
  select xmin from pg_ts_dict
  union all
  select xmin from pg_am
  union all
  select xmin from pg_extension
  union all
  select t.xmin
  from pg_type t
  left join pg_type e on e.oid = t.typelem and t.typcategory = 'A'
  left join pg_class c on c.oid = coalesce(e.typrelid, t.typrelid) and c.relkind <> 'c'
  where c.oid is null
  union all
  select a.xmin from pg_class c join pg_attribute a on a.attrelid = c.oid where c.relkind = 'c'
)
select count(*) as number,
       sum(hashint8extended((select age('3'::xid))::bigint - nullif(age(by_transaction), 2147483647), 0))::text
         as transactions,
       concat_ws(' ', current_setting('TimeZone'), current_setting('DateStyle'), current_setting('IntervalStyle'),
                 current_setting('extra_float_digits'), current_setting('bytea_output'),
                 current_setting('lc_monetary'), current_setting('quote_all_identifiers')) as settings
from written
