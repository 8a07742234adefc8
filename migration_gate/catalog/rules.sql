select r.schema, r.name as table, w.rulename::text as name, 'rule' as kind, pg_get_ruledef(w.oid) as definition,
       case w.ev_enabled when 'D' then 'disabled' when 'R' then 'replica' when 'A' then 'always'
            else 'origin' end as enabled
from relation r join pg_rewrite w on w.ev_class = r.oid
where w.rulename <> '_RETURN'
order by r.schema, r.name, w.rulename
