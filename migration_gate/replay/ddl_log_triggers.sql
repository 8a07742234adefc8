-- Only a superuser may create event triggers; elsewhere the worker calls migration_gate.log_changes() after each step.
-- They also fire while a migration has set session_replication_role to replica.
create event trigger migration_gate_command on ddl_command_end execute function migration_gate.log_command();
create event trigger migration_gate_drop on sql_drop execute function migration_gate.log_drop();
alter event trigger migration_gate_command enable always;
alter event trigger migration_gate_drop enable always;
