-- How many rows of the system catalogs each relation has, its parts among them, and a sum over the transactions that
-- wrote them: it is another one as soon as a transaction that has committed since has written or deleted a row, as
-- only such a row can be of a transaction that none was of before. Triggers of foreign keys are the constraint's.
-- `xid` has no operators: what is hashed is its distance from 3, the first that is given out; those of initdb are
-- infinitely old. Before version 14, an index becomes invalid without a new row.
-- Relations that are not read are here too, as others print their names.
written as (
  select oid as relation, xmin as by_transaction from pg_class where oid >= 16384
  union all
  select i.indrelid, c.xmin from pg_index i join pg_class c on c.oid = i.indexrelid
  union all
  select indrelid, xmin from pg_index
  union all
  select indrelid, xmin from pg_index where not (indisvalid and indisready)
  union all
  select attrelid, xmin from pg_attribute where attrelid >= 16384 and attnum > 0
  union all
  select adrelid, xmin from pg_attrdef
  union all
  select conrelid, xmin from pg_constraint where conrelid <> 0
  union all
  select tgrelid, xmin from pg_trigger where not tgisinternal
  union all
  select inhrelid, xmin from pg_inherits
  union all
  select partrelid, xmin from pg_partitioned_table
  union all
  select seqrelid, xmin from pg_sequence
  union all
  select q.seqrelid, d.xmin
  from pg_sequence q join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = q.seqrelid
  union all
  select coalesce(i.indrelid, d.objoid), d.xmin
  from pg_description d left join pg_index i on i.indexrelid = d.objoid
  where d.classoid = 'pg_class'::regclass and d.objoid >= 16384
  union all
  select c.conrelid, d.xmin from pg_description d join pg_constraint c on c.oid = d.objoid
  where d.classoid = 'pg_constraint'::regclass and d.objoid >= 16384
)
select c.oid::bigint as oid, n.nspname::text as schema, c.relname::text as name, r.oid is not null as is_read,
       w.number, w.transactions
from (
  select relation, count(*) as number,
         sum(hashint8extended((select age('3'::xid))::bigint - nullif(age(by_transaction), 2147483647), 0))::text
           as transactions
  from written group by relation
) w
join pg_class c on c.oid = w.relation and c.relkind in ('r', 'p', 'f', 'v', 'm', 'S')
join pg_namespace n on n.oid = c.relnamespace
left join relation r on r.oid = c.oid
