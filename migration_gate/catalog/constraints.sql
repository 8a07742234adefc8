-- NOT NULL is a property of the column, but for one that is not valid (Postgres 18). A foreign key to a
-- partitioned table has one helper row for each partition; only the row of the constraint itself is read.
select c.oid::bigint as oid, r.schema, r.name as table, c.conname::text as name,
       case c.contype when 'p' then 'primary key' when 'u' then 'unique' when 'f' then 'foreign key'
            when 'c' then 'check' when 'x' then 'exclusion' else 'not null' end as kind,
       pg_get_constraintdef(c.oid) as definition,
       array(select a.attname::text from unnest(c.conkey) with ordinality k (number, place)
             join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number order by k.place) as columns,
       c.convalidated as validated, c.condeferrable as deferrable, c.condeferred as deferred,
       (select fn.nspname || '.' || fc.relname from pg_class fc join pg_namespace fn on fn.oid = fc.relnamespace
        where fc.oid = c.confrelid) as references,
       case when c.confkey is null then '{}'::text[]
            else array(select a.attname::text from unnest(c.confkey) with ordinality k (number, place)
                       join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.number
                       order by k.place) end as referenced_columns,
       case when c.contype = 'f' then
            case c.confdeltype when 'r' then 'restrict' when 'c' then 'cascade' when 'n' then 'set null'
                 when 'd' then 'set default' else 'no action' end end as on_delete,
       case when c.contype = 'f' then
            case c.confupdtype when 'r' then 'restrict' when 'c' then 'cascade' when 'n' then 'set null'
                 when 'd' then 'set default' else 'no action' end end as on_update,
       m.comment
from relation r join pg_constraint c on c.conrelid = r.oid
left join remark m on m.classoid = 'pg_constraint'::regclass and m.objoid = c.oid and m.objsubid = 0
where r.kind in ('r', 'p', 'f')
  and (c.contype in ('p', 'u', 'f', 'c', 'x') or c.contype = 'n' and not c.convalidated)
  and (c.conparentid = 0
       or not exists (select from pg_constraint p where p.oid = c.conparentid and p.conrelid = c.conrelid))
order by r.schema, r.name, c.conname
