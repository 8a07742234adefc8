-- A partition's copy of its parent's trigger is internal from Postgres 13 on, and has a parent in its dependencies.
select r.schema, r.name as table, t.tgname::text as name, 'trigger' as kind, pg_get_triggerdef(t.oid) as definition,
       case t.tgenabled when 'D' then 'disabled' when 'R' then 'replica' when 'A' then 'always'
            else 'origin' end as enabled
from relation r join pg_trigger t on t.tgrelid = r.oid
where not t.tgisinternal
order by r.schema, r.name, t.tgname
