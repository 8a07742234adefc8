-- What the statistics say of each table: no table is read, and none is locked.
-- An empty table and one that was never analyzed look alike before version 14: both are not known.
with recursive relation as (
    select c.oid, n.nspname as schema, c.relname as name, c.relkind as kind,
           c.reltuples::numeric as rows, c.relpages::numeric as pages, t.relpages::numeric as toast_pages,
           c.relkind <> 'p' and (c.reltuples < 0 or (version.old and c.relpages = 0 and c.reltuples = 0)) as fresh,
           t.oid is not null and (t.reltuples < 0 or (version.old and t.relpages = 0)) as fresh_toast,
           counting.known and pg_stat_get_tuples_inserted(c.oid) = 0 and pg_stat_get_live_tuples(c.oid) = 0
               as unwritten,
           t.oid is null
               or (counting.known and pg_stat_get_tuples_inserted(t.oid) = 0 and pg_stat_get_live_tuples(t.oid) = 0)
               as unwritten_toast
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    left join pg_class t on t.oid = c.reltoastrelid
    cross join (select current_setting('server_version_num')::int < 140000 as old) version
    cross join (select current_setting('track_counts') = 'on' and not pg_is_in_recovery() as known) counting
    where c.relkind in ('r', 'p', 'm', 'f') and c.relpersistence <> 't'
      and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
),
part as (
    select oid as root, oid as member from relation
    union all
    select part.root, i.inhrelid
    from part join relation parent on parent.oid = part.member and parent.kind = 'p'
    join pg_inherits i on i.inhparent = parent.oid
),
known as (
    select oid, kind,
           case when kind = 'f' then null
                when kind = 'p' or (fresh and unwritten) then 0
                when fresh or (fresh_toast and not unwritten_toast) then null
                else rows end as rows,
           case when kind = 'f' then null
                when kind = 'p' or (fresh and unwritten) then 0
                when fresh or (fresh_toast and not unwritten_toast) then null
                else (pages + coalesce(toast_pages, 0)) * current_setting('block_size')::int end as bytes
    from relation
)
select r.schema, r.name,
       case when bool_or(k.oid is null or k.rows is null) or (r.kind <> 'p' and r.fresh)
            then null else sum(k.rows)::bigint end as rows,
       case when bool_or(k.oid is null or k.bytes is null) or (r.kind <> 'p' and r.fresh)
            then null else sum(k.bytes)::bigint end as bytes
from relation r
join part on part.root = r.oid
left join known k on k.oid = part.member
where r.kind <> 'f'
group by r.schema, r.name, r.kind, r.fresh
order by r.schema, r.name
