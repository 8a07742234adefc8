"""Settings of the servers that the gate starts: a file for a local one, arguments for one in a container."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from pathlib import Path

PORT = 5432
LOG_LINE_PREFIX = "%m|%p|%e|%a|%d|"
"""time, pid, SQLSTATE, application name, database"""

SHARED_SETTINGS: dict[str, str] = {
    # Nothing has to survive a power cut.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Small, and the same on every machine.
    "max_connections": "100",
    "max_prepared_transactions": "10",  # Alembic's multidb template commits in two phases
    "max_locks_per_transaction": "1024",  # long histories in one transaction
    "dynamic_shared_memory_type": "mmap",  # /dev/shm is small in containers, and keeps what a killed run left
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "autovacuum": "off",
    "deadlock_timeout": "200ms",  # a wait is logged after it, and an empty database is busy with nothing
    "restart_after_crash": "off",  # a crash ends the run, with the log that says why
    "timezone": "UTC",
    # The log is read: in English, with notices, and with the statements that failed.
    "lc_messages": "C",
    "log_timezone": "UTC",
    "log_min_messages": "notice",
    "log_min_error_statement": "notice",
    "log_checkpoints": "off",
    "log_line_prefix": LOG_LINE_PREFIX,
}
"""of every server that the gate starts"""
LOCAL_SETTINGS: dict[str, str] = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0777",
    "max_wal_size": "512MB",
    "checkpoint_timeout": "1h",
    "shared_buffers": "32MB",
    "max_parallel_maintenance_workers": "0",
    "max_logical_replication_workers": "0",
    "logging_collector": "off",
    "log_destination": "stderr",
}
"""of a local server, in addition; an image's own defaults serve a server in a container"""

# `password` over the private socket: every driver knows it, and it is twice as fast as SCRAM (2.4 against
# 4.7 ms a connection), as the stored verifier has one iteration; more protect guessable passwords only.
HBA = "local all all password\n"


def write_local_settings(data: Path, socket_directory: Path, cluster_name: str) -> None:
    """Write the settings of this run, and who may connect, into the folder of a local cluster."""
    settings = {
        **SHARED_SETTINGS,
        **LOCAL_SETTINGS,
        "unix_socket_directories": f'"{socket_directory}"',
        "cluster_name": cluster_name,
    }
    lines = [f"{name} = '{value}'\n" for name, value in settings.items()]
    with (data / "postgresql.conf").open("a") as file:
        file.write("\n# Migration Gate: temporary cluster; durability is off\n")
        file.writelines(lines)
    (data / "pg_hba.conf").write_text(HBA)


def server_arguments(cluster_name: str) -> list[str]:
    """The settings of a server in a container, as arguments of `postgres`: -c name=value."""
    settings = {**SHARED_SETTINGS, "cluster_name": cluster_name}
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def hash_password(password: str) -> str:
    """What Postgres stores for SCRAM-SHA-256 (RFC 5803), with one iteration."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    signed = hmac.digest(salted, b"Server Key", "sha256")
    salt_text, stored_text, signed_text = (base64.b64encode(part).decode() for part in (salt, stored, signed))
    return f"SCRAM-SHA-256$1:{salt_text}${stored_text}:{signed_text}"
