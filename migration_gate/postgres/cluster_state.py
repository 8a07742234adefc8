"""What all databases of a server share: roles, tablespaces, settings. Two states show whether it changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migration_gate.postgres.server import Server

if TYPE_CHECKING:
    import psycopg

PARAMETER_RIGHTS = 150000
"""server_version_num of the first server that has pg_parameter_acl (GRANT … ON PARAMETER)"""
SHARED_CATALOGS = """
select 'role', to_jsonb(role) from pg_authid role
union all select 'member', to_jsonb(member) from pg_auth_members member
union all select 'tablespace', to_jsonb(tablespace) from pg_tablespace tablespace
union all select 'database', jsonb_build_array(datname, datdba, datistemplate,
    datallowconn, datconnlimit, datacl) from pg_database where not starts_with(datname, %(prefix)s)
union all select 'setting of a role or a database', to_jsonb(setting) from pg_db_role_setting setting
    where setdatabase not in (select oid from pg_database where starts_with(datname, %(prefix)s))
union all select 'comment', to_jsonb(comment) from pg_shdescription comment
    where (classoid, objoid) not in
        (select 'pg_database'::regclass, oid from pg_database where starts_with(datname, %(prefix)s))
union all select 'label', to_jsonb(label) from pg_shseclabel label
union all select 'replication origin', to_jsonb(origin) from pg_replication_origin origin
union all select 'replication slot', to_jsonb(slot_name) from pg_replication_slots
union all select 'subscription', to_jsonb(subname) from pg_subscription
union all select 'configuration file', to_jsonb(line) from pg_file_settings line
"""
"""what ALTER SYSTEM wrote is in pg_file_settings, whether or not the server has read it since"""
RIGHTS_ON_PARAMETERS = "union all select 'parameter', to_jsonb(parameter) from pg_parameter_acl parameter"
TEMPLATE_OBJECTS = """
select 'namespace', to_jsonb(namespace) from pg_namespace namespace where nspname !~ '^pg_(toast_)?temp_'
union all select 'relation', to_jsonb(oid) from pg_class where oid >= 16384
union all select 'function', to_jsonb(oid) from pg_proc where oid >= 16384
union all select 'type', to_jsonb(oid) from pg_type where oid >= 16384
union all select 'operator', to_jsonb(oid) from pg_operator where oid >= 16384
union all select 'cast', to_jsonb(oid) from pg_cast where oid >= 16384
union all select 'collation', to_jsonb(oid) from pg_collation where oid >= 16384
union all select 'extension', to_jsonb(extension) from pg_extension extension
union all select 'language', to_jsonb(language) from pg_language language
union all select 'event trigger', to_jsonb(trigger) from pg_event_trigger trigger
union all select 'default rights', to_jsonb(rights) from pg_default_acl rights
"""
"""of template1: every new database is a copy of it. Objects of the server itself have smaller oids than 16384
(FirstNormalObjectId)"""
DIGEST = """
select md5(coalesce(string_agg(kind || state, ' ' order by kind, state), ''))
from (select kind, state::text from ({}) as states(kind, state)) as texts
"""


@dataclass(frozen=True, slots=True)
class ClusterState:
    """Digests of what is not in the databases of the run. If two states are equal, nothing changed."""

    template: str
    """what new databases are copies of"""
    shared: str
    """what all databases share"""


def read_cluster_state(server: Server) -> ClusterState:
    """The state of a server, of which this run is a superuser. Raises psycopg's errors, PostgresDied.

    template1 is read first: it cannot be copied while a session in it is still on its way out.
    """
    with server.connect("template1") as connection:
        template = _read_digest(connection, TEMPLATE_OBJECTS, server.database_prefix)
    states = SHARED_CATALOGS
    if server.version >= PARAMETER_RIGHTS:
        states += RIGHTS_ON_PARAMETERS
    with server.connect() as connection:
        return ClusterState(template, _read_digest(connection, states, server.database_prefix))


def _read_digest(connection: psycopg.Connection[tuple[object, ...]], states: str, prefix: str) -> str:
    query = DIGEST.format(states).encode()
    row = connection.execute(query, {"prefix": prefix}).fetchone()
    return str(row[0]) if row else ""
