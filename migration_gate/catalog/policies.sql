select r.schema, r.name as table, p.polname::text as name, 'policy' as kind,
       'CREATE POLICY ' || quote_ident(p.polname) || ' ON ' || quote_ident(r.schema) || '.' || quote_ident(r.name)
       || case when p.polpermissive then '' else ' AS RESTRICTIVE' end
       || case p.polcmd when 'r' then ' FOR SELECT' when 'a' then ' FOR INSERT' when 'w' then ' FOR UPDATE'
               when 'd' then ' FOR DELETE' else '' end
       || ' TO ' || array_to_string(array(
            select case when u.role = 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(u.role)) end
            from unnest(p.polroles) u (role) order by 1), ', ')
       || coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')
       || coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '') as definition,
       'origin' as enabled
from relation r join pg_policy p on p.polrelid = r.oid
order by r.schema, r.name, p.polname
