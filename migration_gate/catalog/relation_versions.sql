-- How many rows of the system catalogs each relation has, its parts among them, and a sum over the transactions that
-- wrote them: it is another one as soon as a transaction that has ended since then has written or deleted a row.
-- Triggers of foreign keys are the constraint's. `xid` has no operators: its distance from a fixed number is
-- hashed, but for those that initdb writes, which are infinitely old.
written as (
  select oid as relation, xmin as by_transaction from pg_class where oid >= 16384
  union all
  select i.indrelid, c.xmin from pg_index i join pg_class c on c.oid = i.indexrelid
  union all
  select indrelid, xmin from pg_index
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
select r.oid::bigint as oid, r.schema, r.name, w.number, w.transactions
from (
  select relation, count(*) as number,
         sum(hashint8((select age('3'::xid))::bigint - nullif(age(by_transaction), 2147483647))) as transactions
  from written group by relation
) w
join relation r on r.oid = w.relation
