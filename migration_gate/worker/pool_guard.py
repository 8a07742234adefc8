"""Keeps a fork from using the connections that the process which it comes from has open.

Both would talk to the server through one socket. A pool gives such a connection up and makes a new one: the
recipe of SQLAlchemy's documentation ("Using Connection Pools with Multiprocessing").
"""

from __future__ import annotations

import os
from typing import Any

PROCESS = "migration_gate_process"
"""the key of `connection_record.info` that holds the process which made the connection"""


def install_pool_guard() -> None:
    """Listen on every pool."""
    from sqlalchemy import event
    from sqlalchemy.exc import DisconnectionError
    from sqlalchemy.pool import Pool

    def connect(connection: Any, record: Any) -> None:
        record.info[PROCESS] = os.getpid()

    def checkout(connection: Any, record: Any, proxy: Any) -> None:
        if record.info.get(PROCESS, os.getpid()) == os.getpid():
            return
        # Not closed: that would end the session of the process which uses it.
        for holder in (record, proxy):
            setattr(holder, "dbapi_connection" if hasattr(holder, "dbapi_connection") else "connection", None)
        raise DisconnectionError("the connection belongs to another process")

    event.listen(Pool, "connect", connect)
    event.listen(Pool, "checkout", checkout)
