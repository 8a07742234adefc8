-- Storage and collation are null where they are the type's own.
select r.schema, r.name as table, a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type,
       not a.attnotnull as nullable,
       case when a.attgenerated = '' then pg_get_expr(d.adbin, 0) end as default,
       case a.attgenerated when '' then null
            else case a.attgenerated when 'v' then 'virtual' else 'stored' end || ': '
                 || pg_get_expr(d.adbin, d.adrelid) end as generated,
       case a.attidentity when 'a' then 'always' when 'd' then 'by default' end as identity,
       case when a.attcollation <> t.typcollation
            then (select quote_ident(n.nspname) || '.' || quote_ident(c.collname)
                  from pg_collation c join pg_namespace n on n.oid = c.collnamespace
                  where c.oid = a.attcollation) end as collation,
       case when a.attstorage <> t.typstorage
            then case a.attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main'
                 else 'extended' end end as storage,
       m.comment,
       row_number() over (partition by a.attrelid order by a.attnum) as position,
       a.attnum as number
from relation r
join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
left join remark m on m.classoid = 'pg_class'::regclass and m.objoid = r.oid and m.objsubid = a.attnum
where r.kind in ('r', 'p', 'f')
order by r.schema, r.name, a.attnum
