select r.oid::bigint as oid, r.schema, r.name,
       case r.kind when 'p' then 'partitioned table' when 'f' then 'foreign table' else 'table' end as kind,
       case r.persistence when 'u' then 'unlogged' when 't' then 'temporary' else 'permanent' end as persistence,
       case when r.kind = 'p' then pg_get_partkeydef(r.oid) end as partition_key,
       pg_get_expr(r.bound, r.oid) as partition_bound,
       array(select pn.nspname || '.' || pc.relname
             from pg_inherits i join pg_class pc on pc.oid = i.inhparent
                  join pg_namespace pn on pn.oid = pc.relnamespace
             where i.inhrelid = r.oid order by i.inhseqno) as inherits,
       array(select o from unnest(r.options) o order by o) as options,
       r.row_security, r.force_row_security,
       case r.replica_identity when 'n' then 'nothing' when 'f' then 'full' when 'i' then 'index'
            else 'default' end as replica_identity,
       m.comment
from relation r
left join remark m on m.classoid = 'pg_class'::regclass and m.objoid = r.oid and m.objsubid = 0
where r.kind in ('r', 'p', 'f')
order by r.schema, r.name
