-- What a statement wanted to create under a name that was taken, compared with what has the name.
--
-- The statement is run in a schema of its own inside a subtransaction, so that Postgres describes what it would
-- have made, and is rolled back. Nothing of this runs where no name is taken. Run once, after ddl_log.sql.
create table migration_gate.skipped_creation (
    id bigint generated always as identity,
    creation jsonb not null
);

-- Commands inside of functions and DO blocks that have ended, and whose block has not undone them; see log_attempt.
create table migration_gate.finished_attempt (
    number bigint not null
);
create sequence migration_gate.attempt_number;

-- What the log would say of such commands, where the gate cannot read it; see skipped_creations_session.sql.
create table migration_gate.kept_attempt (
    attempt jsonb not null
);

-- What handlers of DO blocks have caught; see worker/observed_blocks.py.
create table migration_gate.caught_error (
    id bigint generated always as identity,
    error jsonb not null
);

-- The pieces of SQL between separators that are in no quotes and no brackets, without comments.
create function migration_gate.split_sql(sql text, separator text) returns setof text language plpgsql immutable
set search_path = '' as $$
declare
    rest text := sql;
    piece text := '';
    token text;
    tag text;
    depth int := 0;
begin
    while rest <> '' loop
        tag := substring(rest from '^\$(?:[[:alpha:]_][[:alnum:]_]*)?\$');
        if tag is not null then
            token := case strpos(substr(rest, length(tag) + 1), tag)
                when 0 then rest else left(rest, 2 * length(tag) + strpos(substr(rest, length(tag) + 1), tag) - 1) end;
        elsif piece ~* '\me$' and rest like '''%' then -- E'it\'s'
            token := coalesce(substring(rest from '^''(?:[^''\\]|\\.|'''')*'''), rest);
        else
            token := coalesce(substring(rest from
                '^(?:''(?:[^'']|'''')*''|"(?:[^"]|"")*"|--[^\n]*|/\*(?:[^*]|\*+[^*/])*\*+/|[^''"$;,()/-]+)'), left(rest, 1));
        end if;
        rest := substr(rest, length(token) + 1);
        depth := depth + case token when '(' then 1 when ')' then -1 else 0 end;
        if token = separator and depth = 0 then
            return next btrim(piece, E' \t\r\n');
            piece := '';
        elsif token like '--%' or token like '/*%' then
            piece := piece || ' ';
        else
            piece := piece || token;
        end if;
    end loop;
    if btrim(piece, E' \t\r\n') <> '' then
        return next btrim(piece, E' \t\r\n');
    end if;
end $$;

-- The pattern of a name that may be qualified, as one group.
create function migration_gate.name_pattern() returns text language sql immutable as $$
select format('(%1$s(?:\s*\.\s*%1$s)?)', '(?:"(?:[^"]|"")+"|[[:alpha:]_\u0080-\uffff][\w$\u0080-\uffff]*)')
$$;

-- The schema in which a statement that names `parts` creates something: the last part is the object's own name.
create function migration_gate.schema_of(parts text[], path text) returns text language plpgsql stable
set search_path = '' as $$
begin
    if cardinality(parts) > 1 then
        return parts[cardinality(parts) - 1];
    end if;
    perform set_config('search_path', path, true);
    return current_schema();
end $$;

-- The schema of the relation that a statement names; null where there is none.
create function migration_gate.schema_of_relation(parts text[], path text) returns text language plpgsql stable
set search_path = '' as $$
begin
    perform set_config('search_path', path, true);
    return (select n.nspname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where c.oid = to_regclass((select string_agg(quote_ident(part), '.') from unnest(parts) part)));
end $$;

-- How a statement's object could be created in the schema migration_gate_wanted: its kind, its place, and commands.
-- Null for a statement of another kind.
create function migration_gate.plan_creation(statement text, path text) returns jsonb language plpgsql stable
set search_path = '' as $$
declare
    name constant text := migration_gate.name_pattern();
    absent constant text := '(?:IF\s+NOT\s+EXISTS\s+)?';
    words text[];
    parts text[];
    tables text[];
    place text;
    columns text[] := '{}';
    actions text[] := '{}';
    action text;
    existing oid;
    parent text;
begin
    -- CREATE TABLE, with a copy of the partitioned table for a partition
    words := regexp_match(statement, '^CREATE\s+(UNLOGGED\s+)?TABLE\s+' || absent || name || '(.*)$', 'i');
    if words is not null then
        parts := parse_ident(words[2]);
        tables := regexp_match(words[3], '^\s*PARTITION\s+OF\s+' || name || '(.*)$', 'i');
        if tables is not null then
            place := migration_gate.schema_of_relation(parse_ident(tables[1]), path);
            parent := (parse_ident(tables[1]))[cardinality(parse_ident(tables[1]))];
            actions := array[
                format('create table migration_gate_wanted.%I (like %I.%I including defaults including constraints '
                       'including indexes) partition by %s', parent, place, parent,
                       (select pg_get_partkeydef(c.oid) from pg_catalog.pg_class c
                        where c.relname = parent and c.relnamespace = to_regnamespace(quote_ident(place))))];
            words[3] := format(' partition of migration_gate_wanted.%I %s', parent, tables[2]);
        end if;
        if cardinality(parts) > 1 then -- a reference to itself
            words[3] := regexp_replace(words[3], '\mREFERENCES\s+' || regexp_replace(words[2], '([.$])', '\\\1', 'g') || '(?=[\s(])',
                                       format('REFERENCES migration_gate_wanted.%I', parts[cardinality(parts)]), 'gi');
        end if;
        return jsonb_build_object(
            'kind', 'table', 'schema', migration_gate.schema_of(parts, path), 'name', parts[cardinality(parts)],
            'commands', actions || format('create %s table migration_gate_wanted.%I %s',
                                          coalesce(words[1], ''), parts[cardinality(parts)], words[3]));
    end if;

    words := regexp_match(statement, '^CREATE\s+(UNIQUE\s+)?INDEX\s+(?:CONCURRENTLY\s+)?' || absent || name
                                     || '\s+ON\s+(?:ONLY\s+)?' || name || '(.*)$', 'i');
    if words is not null then
        parts := parse_ident(words[2]);
        tables := parse_ident(words[3]);
        place := migration_gate.schema_of_relation(tables, path);
        return jsonb_build_object(
            'kind', 'index', 'schema', place, 'name', parts[cardinality(parts)], 'table', tables[cardinality(tables)],
            'commands', array[
                format('create table migration_gate_wanted.%1$I (like %2$I.%1$I)', tables[cardinality(tables)], place),
                format('create %s index %I on migration_gate_wanted.%I %s', coalesce(words[1], ''),
                       parts[cardinality(parts)], tables[cardinality(tables)], words[4])]);
    end if;

    -- ALTER TABLE that adds columns or a constraint: on a copy that lacks the columns
    words := regexp_match(statement, '^ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?' || name || '\s*\*?\s*(ADD\M.*)$', 'i');
    if words is not null then
        tables := parse_ident(words[1]);
        place := migration_gate.schema_of_relation(tables, path);
        select c.oid into existing from pg_catalog.pg_class c
        where c.relname = tables[cardinality(tables)] and c.relnamespace = to_regnamespace(quote_ident(place));
        for action in select * from migration_gate.split_sql(words[2], ',') loop
            parts := regexp_match(action, '^ADD\s+CONSTRAINT\s+' || name, 'i');
            if parts is not null then
                return jsonb_build_object(
                    'kind', 'constraint', 'schema', place, 'table', tables[cardinality(tables)],
                    'name', (parse_ident(parts[1]))[1],
                    'commands', array[
                        format('create table migration_gate_wanted.%1$I (like %2$I.%1$I)', tables[cardinality(tables)], place),
                        format('alter table migration_gate_wanted.%I %s', tables[cardinality(tables)], action)]);
            end if;
            parts := regexp_match(action, '^ADD\s+(?:COLUMN\s+)?' || absent || name || '\s', 'i');
            if parts is not null and exists (
                select from pg_catalog.pg_attribute a
                where a.attrelid = existing and a.attname = (parse_ident(parts[1]))[1] and not a.attisdropped) then
                columns := columns || (parse_ident(parts[1]))[1];
                actions := actions || action;
            end if;
        end loop;
        if cardinality(columns) = 0 then
            return null;
        end if;
        return jsonb_build_object(
            'kind', 'column', 'schema', place, 'table', tables[cardinality(tables)], 'columns', columns,
            'commands', array[
                format('create table migration_gate_wanted.%1$I (like %2$I.%1$I)', tables[cardinality(tables)], place),
                format('alter table migration_gate_wanted.%I %s', tables[cardinality(tables)],
                       (select string_agg(format('drop column %I cascade', c), ', ') from unnest(columns) c)),
                format('alter table migration_gate_wanted.%I %s', tables[cardinality(tables)],
                       array_to_string(actions, ', '))]);
    end if;

    words := regexp_match(statement, '^CREATE\s+(?:UNLOGGED\s+)?SEQUENCE\s+' || absent || name || '(.*)$', 'i');
    if words is not null then
        parts := parse_ident(words[1]);
        return jsonb_build_object(
            'kind', 'sequence', 'schema', migration_gate.schema_of(parts, path), 'name', parts[cardinality(parts)],
            'commands', array[format('create sequence migration_gate_wanted.%I %s', parts[cardinality(parts)],
                                     regexp_replace(words[2], '\mOWNED\s+BY\s+[^\s;]+', '', 'i'))]);
    end if;

    words := regexp_match(statement, '^CREATE\s+(MATERIALIZED\s+)?VIEW\s+' || absent || name || '(.*)$', 'i');
    if words is not null then
        parts := parse_ident(words[2]);
        return jsonb_build_object(
            'kind', 'view', 'schema', migration_gate.schema_of(parts, path), 'name', parts[cardinality(parts)],
            'commands', array[format('create %s view migration_gate_wanted.%I %s', coalesce(words[1], ''),
                                     parts[cardinality(parts)], words[3])]);
    end if;

    words := regexp_match(statement, '^CREATE\s+(TYPE|DOMAIN)\s+' || name || '(\s.*)$', 'i');
    if words is not null then
        parts := parse_ident(words[2]);
        return jsonb_build_object(
            'kind', 'type', 'schema', migration_gate.schema_of(parts, path), 'name', parts[cardinality(parts)],
            'commands', array[format('create %s migration_gate_wanted.%I %s', words[1],
                                     parts[cardinality(parts)], words[3])]);
    end if;

    words := regexp_match(statement, '^CREATE\s+((?:CONSTRAINT\s+)?TRIGGER|POLICY)\s+' || name || '(\s.*)$', 'i');
    if words is not null then
        tables := parse_ident((regexp_match(words[3], '\sON\s+' || name, 'i'))[1]);
        place := migration_gate.schema_of_relation(tables, path);
        return jsonb_build_object(
            'kind', lower(substring(words[1] from '\S+$')), 'schema', place, 'table', tables[cardinality(tables)],
            'name', (parse_ident(words[2]))[1],
            'commands', array[
                format('create table migration_gate_wanted.%1$I (like %2$I.%1$I)', tables[cardinality(tables)], place),
                format('create %s %s %s', words[1], words[2], regexp_replace(words[3], '\sON\s+' || name,
                    format(' on migration_gate_wanted.%I ', tables[cardinality(tables)]), 'i'))]);
    end if;

    words := regexp_match(statement, '^CREATE\s+SCHEMA\s+' || absent || name || '\s+AUTHORIZATION\s+' || name, 'i');
    if words is not null then
        return jsonb_build_object(
            'kind', 'schema', 'name', (parse_ident(words[1]))[1],
            'wanted', jsonb_build_object('owner', (parse_ident(words[2]))[1]));
    end if;

    words := regexp_match(statement, '^CREATE\s+EXTENSION\s+' || absent || name || '(.*)$', 'i');
    if words is not null then
        return jsonb_build_object(
            'kind', 'extension', 'name', (parse_ident(words[1]))[1],
            'wanted', jsonb_strip_nulls(jsonb_build_object(
                'version', btrim(substring(words[2] from '(?i)\mVERSION\s+(''[^'']+''|"[^"]+"|[^\s;]+)'), '''"'),
                'schema', (parse_ident(substring(words[2] from '(?i)\mSCHEMA\s+("[^"]+"|[\w$]+)')))[1])));
    end if;
    return null;
end $$;

-- A column as one text. A default from the column's own sequence is the same whatever the sequence is called.
create function migration_gate.describe_column(relation oid, number int2) returns text language sql stable
set search_path = '' as $$
select concat_ws(' ',
    format_type(a.atttypid, a.atttypmod),
    case when a.attcollation <> t.typcollation then 'COLLATE ' || a.attcollation::regcollation::text end,
    case when a.attnotnull then 'NOT NULL' end,
    case a.attidentity when 'a' then 'GENERATED ALWAYS AS IDENTITY' when 'd' then 'GENERATED BY DEFAULT AS IDENTITY' end,
    case when d.oid is null then null
         when a.attgenerated <> '' then 'GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || ')'
         when exists (select from pg_catalog.pg_depend u join pg_catalog.pg_depend s on s.objid = u.refobjid
                      where u.classid = 'pg_catalog.pg_attrdef'::regclass and u.objid = d.oid
                        and u.refclassid = 'pg_catalog.pg_class'::regclass
                        and s.classid = 'pg_catalog.pg_class'::regclass and s.deptype = 'a'
                        and s.refobjid = a.attrelid and s.refobjsubid = a.attnum) then 'DEFAULT nextval(its own sequence)'
         else 'DEFAULT ' || pg_get_expr(d.adbin, 0) end)
from pg_catalog.pg_attribute a
join pg_catalog.pg_type t on t.oid = a.atttypid
left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attrelid = relation and a.attnum = number
$$;

-- The constraints of a table's own: those that a partition has from its table are left out. A unique index does
-- what a constraint would do.
create function migration_gate.describe_constraints(relation oid, columns text[]) returns jsonb language sql stable
set search_path = '' as $$
select coalesce(jsonb_agg(distinct definition), '[]')
from (
    select pg_get_constraintdef(c.oid) as definition, c.conkey as keys
    from pg_catalog.pg_constraint c
    where c.conrelid = relation and c.contype in ('p', 'u', 'c', 'f', 'x') and c.conparentid = 0 and c.conislocal
    union all
    select format('UNIQUE (%s)', (
               select string_agg(quote_ident(a.attname), ', ' order by k.number)
               from unnest(i.indkey) with ordinality k (attnum, number)
               join pg_catalog.pg_attribute a on a.attrelid = relation and a.attnum = k.attnum)), i.indkey
    from pg_catalog.pg_index i
    where i.indrelid = relation and i.indisunique and i.indpred is null and i.indexprs is null and i.indnatts = i.indnkeyatts
      and not exists (select from pg_catalog.pg_constraint c where c.conindid = i.indexrelid and c.conrelid = relation)
) d
where columns is null or exists (
    select from pg_catalog.pg_attribute a
    where a.attrelid = relation and a.attnum = any (d.keys) and a.attname = any (columns))
$$;

create function migration_gate.describe_relation(relation oid, columns text[]) returns jsonb language sql stable
set search_path = '' as $$
select jsonb_strip_nulls(jsonb_build_object(
    'kind', case c.relkind when 'r' then case c.relpersistence when 'u' then 'unlogged table' else 'table' end
        when 'p' then 'partitioned table' when 'f' then 'foreign table' when 'v' then 'view'
        when 'm' then 'materialized view' when 'S' then 'sequence' when 'i' then 'index' when 'I' then 'index'
        when 'c' then 'composite type' else c.relkind::text end,
    'columns', case when c.relkind in ('r', 'p', 'f', 'c') then (
        select jsonb_agg(jsonb_build_array(a.attname, migration_gate.describe_column(c.oid, a.attnum)) order by a.attnum)
        from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and (columns is null or a.attname = any (columns))) end,
    'constraints', case when c.relkind in ('r', 'p', 'f') then migration_gate.describe_constraints(c.oid, columns) end,
    'partition_key', case when columns is null then pg_get_partkeydef(c.oid) end,
    'partition', case when columns is null then pg_get_expr(c.relpartbound, c.oid) end,
    'options', case when columns is null and c.relkind in ('r', 'p', 'm') then to_jsonb(c.reloptions) end,
    'inherits', case when columns is null and c.relpartbound is null then (
        select jsonb_agg(i.inhparent::regclass::text order by i.inhseqno)
        from pg_catalog.pg_inherits i where i.inhrelid = c.oid and c.relkind in ('r', 'f')) end,
    'definition', case
        when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid)
        when c.relkind in ('i', 'I') then replace(pg_get_indexdef(c.oid), ' ON ONLY ', ' ON ')
        when c.relkind = 'S' then (
            select format('%s START %s INCREMENT %s MINVALUE %s MAXVALUE %s CACHE %s%s', format_type(s.seqtypid, null),
                          s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache,
                          case when s.seqcycle then ' CYCLE' else '' end)
            from pg_catalog.pg_sequence s where s.seqrelid = c.oid) end))
from pg_catalog.pg_class c where c.oid = relation
$$;

create function migration_gate.describe_type(type oid) returns jsonb language sql stable set search_path = '' as $$
select case t.typtype
    when 'e' then jsonb_build_object('kind', 'enum', 'labels', (
        select coalesce(jsonb_agg(e.enumlabel order by e.enumsortorder), '[]') from pg_catalog.pg_enum e where e.enumtypid = t.oid))
    when 'd' then jsonb_build_object('kind', 'domain', 'definition', concat_ws(' ',
        format_type(t.typbasetype, t.typtypmod), case when t.typnotnull then 'NOT NULL' end, 'DEFAULT ' || t.typdefault, (
        select string_agg(pg_get_constraintdef(c.oid), ' ' order by pg_get_constraintdef(c.oid))
        from pg_catalog.pg_constraint c where c.contypid = t.oid and c.contype = 'c')))
    when 'c' then migration_gate.describe_relation(t.typrelid, null)
    when 'r' then jsonb_build_object('kind', 'range', 'definition', (
        select format_type(r.rngsubtype, null) from pg_catalog.pg_range r where r.rngtypid = t.oid))
    else jsonb_build_object('kind', 'type', 'definition', t.typtype::text) end
from pg_catalog.pg_type t where t.oid = type
$$;

-- What a plan's object is in `place`: its description with its oid; null where there is none.
create function migration_gate.describe_planned(plan jsonb, place text) returns jsonb language plpgsql stable
set search_path = '' as $$
declare
    space constant oid := to_regnamespace(quote_ident(place));
    columns constant text[] := case when plan ->> 'kind' = 'column' then (
        select array_agg(c) from jsonb_array_elements_text(plan -> 'columns') c) end;
    object oid;
begin
    case plan ->> 'kind'
    when 'schema' then
        return (select jsonb_build_object('oid', n.oid::bigint, 'description', jsonb_build_object('owner', n.nspowner::regrole::text))
                from pg_catalog.pg_namespace n where n.nspname = plan ->> 'name');
    when 'extension' then
        return (select jsonb_build_object('oid', e.oid::bigint, 'description', jsonb_build_object(
                    'version', e.extversion, 'schema', e.extnamespace::regnamespace::text))
                from pg_catalog.pg_extension e where e.extname = plan ->> 'name');
    when 'type' then
        select t.oid into object from pg_catalog.pg_type t where t.typnamespace = space and t.typname = plan ->> 'name';
        return (select jsonb_build_object('oid', object::bigint, 'description', migration_gate.describe_type(object))
                where object is not null);
    when 'constraint' then
        return (select jsonb_build_object('oid', r.oid::bigint, 'description', jsonb_build_object(
                    'definition', pg_get_constraintdef(c.oid)))
                from pg_catalog.pg_constraint c join pg_catalog.pg_class r on r.oid = c.conrelid
                where r.relnamespace = space and r.relname = plan ->> 'table' and c.conname = plan ->> 'name');
    when 'trigger' then
        return (select jsonb_build_object('oid', t.oid::bigint, 'description', jsonb_build_object(
                    'definition', pg_get_triggerdef(t.oid)))
                from pg_catalog.pg_trigger t join pg_catalog.pg_class r on r.oid = t.tgrelid
                where r.relnamespace = space and r.relname = plan ->> 'table' and t.tgname = plan ->> 'name');
    when 'policy' then
        return (select jsonb_build_object('oid', p.oid::bigint, 'description', jsonb_build_object(
                    'definition', concat_ws(' ', case when p.polpermissive then 'PERMISSIVE' else 'RESTRICTIVE' end,
                        'FOR ' || case p.polcmd when 'r' then 'SELECT' when 'a' then 'INSERT' when 'w' then 'UPDATE'
                                         when 'd' then 'DELETE' else 'ALL' end,
                        'TO ' || (select string_agg(case role when 0 then 'PUBLIC' else role::regrole::text end, ', ')
                                  from unnest(p.polroles) role),
                        'USING ' || pg_get_expr(p.polqual, p.polrelid), 'WITH CHECK ' || pg_get_expr(p.polwithcheck, p.polrelid))))
                from pg_catalog.pg_policy p join pg_catalog.pg_class r on r.oid = p.polrelid
                where r.relnamespace = space and r.relname = plan ->> 'table' and p.polname = plan ->> 'name');
    else
        select c.oid into object from pg_catalog.pg_class c where c.relnamespace = space
            and c.relname = case when columns is null then plan ->> 'name' else plan ->> 'table' end;
        return (select jsonb_build_object('oid', coalesce((select i.indrelid from pg_catalog.pg_index i where i.indexrelid = object), object)::bigint,
                                          'description', migration_gate.describe_relation(object, columns))
                where object is not null);
    end case;
end $$;

-- What the statement wanted and what is there; null where nothing has the name.
create function migration_gate.compare_creation(statement text, path text) returns jsonb language plpgsql security definer
set search_path = '' as $$
declare
    plan jsonb;
    existing jsonb;
    wanted jsonb;
    problem text;
    command text;
begin
    begin
        plan := migration_gate.plan_creation(statement, path);
    exception when others then -- a name of a kind that is not known here
        return null;
    end;
    if plan is null then
        return null;
    end if;
    existing := migration_gate.describe_planned(plan, plan ->> 'schema');
    if existing is null then
        return null;
    end if;
    wanted := plan -> 'wanted';
    if wanted is null then
        begin
            perform set_config('migration_gate.is_comparing', 'on', true);
            perform set_config('client_min_messages', 'error', true);
            perform set_config('lock_timeout', '2s', true);
            create schema migration_gate_wanted;
            -- What a new table refers to by its own name is the new one.
            perform set_config('search_path', concat_ws(', ', case plan ->> 'kind' when 'table' then 'migration_gate_wanted' end, nullif(path, '')), true);
            for command in select * from jsonb_array_elements_text(plan -> 'commands') loop
                execute command;
            end loop;
            perform set_config('search_path', '', true);
            wanted := migration_gate.describe_planned(plan, 'migration_gate_wanted') -> 'description';
            raise exception using errcode = 'MG001'; -- to roll back
        exception
            when sqlstate 'MG001' then null;
            when others then problem := sqlerrm;
        end;
        wanted := replace(wanted::text, 'migration_gate_wanted.', coalesce(quote_ident(plan ->> 'schema') || '.', ''))::jsonb;
    else
        existing := jsonb_set(existing, '{description}', (
            select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(existing -> 'description') where wanted ? key));
    end if;
    return jsonb_strip_nulls(jsonb_build_object(
        'kind', plan -> 'kind', 'schema', plan -> 'schema', 'table', plan -> 'table', 'name', plan -> 'name',
        'oid', existing -> 'oid', 'wanted', wanted, 'existing', existing -> 'description', 'problem', problem));
end $$;

-- The schemas in which the session looks for names.
create function migration_gate.current_path() returns text language sql stable as $$
select pg_catalog.string_agg(pg_catalog.quote_ident(name), ', ') from unnest(pg_catalog.current_schemas(false)) name
$$;

-- Which statement of a client's text is the one whose command has just ended: the n-th of its kind at the n-th event.
create function migration_gate.outer_statement(tag text) returns text language plpgsql set search_path = '' as $$
declare
    command constant text := regexp_replace(tag, ' AS$', '');
    pattern constant text := '^' || replace(command, ' ', '\s+(?:(?:GLOBAL|LOCAL|TEMP|TEMPORARY|UNLOGGED|UNIQUE)\s+)*') || '\M';
    message constant text := statement_timestamp()::text;
    pieces constant text[] := array(select migration_gate.split_sql(migration_gate.client_query(), ';'));
    counts jsonb;
    number int;
begin
    if cardinality(pieces) = 1 then
        return pieces[1];
    end if;
    counts := coalesce(nullif(current_setting('migration_gate.commands', true), ''), '{}')::jsonb;
    if counts ->> 'message' is distinct from message then
        counts := jsonb_build_object('message', message);
    end if;
    number := coalesce((counts ->> command)::int, 0) + 1;
    perform set_config('migration_gate.commands', (counts || jsonb_build_object(command, number))::text, false);
    return (array(select piece from unnest(pieces) piece where piece ~* pattern))[number];
end $$;

-- A comparison as the log keeps it. The sequence counts the rows of other transactions, too.
create function migration_gate.build_row(comparison jsonb) returns jsonb language plpgsql stable security definer
set search_path = '' as $$
begin
    return comparison || jsonb_build_object(
        'step', migration_gate.current_step(),
        'after_command', (select l.last_value from migration_gate.ddl_log_id_seq l),
        'query', left(migration_gate.client_query(), 4000));
end $$;

-- Called at the beginning of a handler. Returns null. Fails never: the handler is the project's.
create function migration_gate.note_caught(state text, message text, context text) returns text language plpgsql
security definer set search_path = '' as $$
declare
    statement text := (regexp_match(context, '^SQL statement "(.*?)"\nPL/pgSQL function '))[1];
    line text := (regexp_match(context, '^PL/pgSQL function inline_code_block line (\d+) at (?:SQL statement|EXECUTE)'))[1];
begin
    if statement is null and line is not null then -- Postgres could not read it: a name that is not there
        statement := btrim((string_to_array(
            substring(migration_gate.client_query() from '\$\w*\$(.*)$'), E'\n'))[line::int], E' \t\r');
        statement := substring(statement from '(?i)\m(?:INSERT|UPDATE|MERGE|EXECUTE)\M[^;]*');
    end if;
    insert into migration_gate.caught_error (error) values (migration_gate.build_row(jsonb_build_object(
        'statement', left(statement, 2000),
        'error', jsonb_build_object('message', message, 'sqlstate', state))));
    return null;
exception when others then
    return null;
end $$;

-- Keep what a statement wanted, where something else has the name.
create function migration_gate.log_conflict(statement text, path text) returns void language plpgsql
security definer set search_path = '' as $$
declare
    comparison constant jsonb := migration_gate.compare_creation(statement, path);
begin
    if comparison -> 'wanted' is distinct from comparison -> 'existing' then
        perform migration_gate.keep_creation(migration_gate.build_row(comparison));
    end if;
end $$;

create function migration_gate.keep_creation(creation jsonb) returns void language sql security definer
set search_path = '' as $$
insert into migration_gate.skipped_creation (creation) values (creation)
$$;

-- Keep that a statement could not be compared, and why.
create function migration_gate.keep_failure(statement text, problem text) returns void language sql as $$
select migration_gate.keep_creation(migration_gate.build_row(pg_catalog.jsonb_build_object(
    'kind', 'statement', 'name', pg_catalog.left(statement, 60), 'oid', 0, 'existing', '{}'::jsonb, 'problem', problem)))
$$;

-- The same for a statement whose error the migration caught. What is there may be alike: then it is harmless.
create function migration_gate.log_caught_error(statement text) returns void language plpgsql as $$
declare
    comparison jsonb;
begin
    comparison := migration_gate.compare_creation(
        (array(select migration_gate.split_sql(statement, ';')))[1], migration_gate.current_path());
    if comparison is not null then
        perform migration_gate.keep_creation(
            migration_gate.build_row(comparison) || pg_catalog.jsonb_build_object('query', pg_catalog.left(statement, 4000)));
    end if;
exception when others then
    perform migration_gate.keep_failure(statement, sqlerrm);
end $$;

-- What has the name at the end of the replay: the description, null where nothing has it; and whether the object is
-- still there under whatever name.
create function migration_gate.describe_final(creation jsonb) returns jsonb language plpgsql stable
set search_path = '' as $$
begin
    return jsonb_build_object(
        'final', migration_gate.describe_planned(
            creation || jsonb_build_object('columns', (
                select jsonb_agg(c -> 0) from jsonb_array_elements(creation #> '{existing,columns}') c)),
            creation ->> 'schema') -> 'description',
        'is_there', exists (select from pg_catalog.pg_class where oid = (creation ->> 'oid')::oid
                            union all select from pg_catalog.pg_type where oid = (creation ->> 'oid')::oid
                            union all select from pg_catalog.pg_trigger where oid = (creation ->> 'oid')::oid
                            union all select from pg_catalog.pg_policy where oid = (creation ->> 'oid')::oid
                            union all select from pg_catalog.pg_namespace where oid = (creation ->> 'oid')::oid
                            union all select from pg_catalog.pg_extension where oid = (creation ->> 'oid')::oid));
end $$;
