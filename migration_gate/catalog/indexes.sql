select c.oid::bigint as oid, r.schema, r.name as table, c.relname::text as name,
       pg_get_indexdef(i.indexrelid) as definition,
       array(select a.attname::text
             from generate_series(0, i.indnkeyatts - 1) p (place)
             left join pg_attribute a
                    on i.indkey[p.place] <> 0 and a.attrelid = i.indrelid and a.attnum = i.indkey[p.place]
             order by p.place) as columns,
       i.indisunique as unique, i.indisvalid and i.indisready as valid, i.indpred is not null as partial,
       r.kind = 'm' as on_view,
       k.conname::text as constraint,
       m.comment
from relation r
join pg_index i on i.indrelid = r.oid
join pg_class c on c.oid = i.indexrelid
left join pg_constraint k
       on k.conrelid = i.indrelid and k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x')
left join remark m on m.classoid = 'pg_class'::regclass and m.objoid = c.oid and m.objsubid = 0
where r.kind in ('r', 'p', 'm')
order by r.schema, r.name, c.relname
