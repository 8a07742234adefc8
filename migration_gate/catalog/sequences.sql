select r.oid::bigint as oid, r.schema, r.name, format_type(q.seqtypid, null) as type, q.seqstart as start,
       q.seqincrement as increment, q.seqmin as minimum, q.seqmax as maximum, q.seqcache as cache,
       q.seqcycle as cycle,
       n.nspname || '.' || c.relname || '.' || a.attname as owner,
       coalesce(d.deptype = 'i', false) as identity,
       m.comment
from relation r
join pg_sequence q on q.seqrelid = r.oid
left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = r.oid and d.objsubid = 0
                     and d.refclassid = 'pg_class'::regclass and d.refobjsubid > 0 and d.deptype in ('a', 'i')
left join pg_class c on c.oid = d.refobjid
left join pg_namespace n on n.oid = c.relnamespace
left join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
left join remark m on m.classoid = 'pg_class'::regclass and m.objoid = r.oid and m.objsubid = 0
order by r.schema, r.name
