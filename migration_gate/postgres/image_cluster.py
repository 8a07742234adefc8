"""The cluster in the gate's own container image, packed: unpacking it takes a third of the time of initdb.

The image does not use the cache in the user's home: on GitHub that is a folder of the runner's, which could
not remove what root leaves there. `python -m migration_gate.postgres.image_cluster FOLDER` packs the cluster
when the image is built, with the server programs in that folder.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import tempfile
from pathlib import Path

from migration_gate.config.gate_variables import in_image
from migration_gate.postgres.initdb import initdb_arguments
from migration_gate.sandbox.user import Account

ARCHIVE = Path("/opt/migration-gate/cluster.tar.gz")
PROGRAMS_RECORD = ARCHIVE.with_name("cluster.programs")
"""names the folder of the programs that made the cluster; it fits no other server"""
PASSWORD = "replaced-at-every-start"  # noqa: S105  (every start sets one of its own)
SERVER_ACCOUNT = "postgres"
UNPACK_SECONDS = 60


def unpack_cluster(programs: Path, data: Path, account: Account | None) -> str | None:
    """Put the cluster into `data`, which must not exist, and return the password of its superuser.

    None, and no folder, if there is no packed cluster for these programs.
    """
    if not in_image() or not ARCHIVE.exists() or PROGRAMS_RECORD.read_text().strip() != str(programs):
        return None
    data.mkdir(mode=0o700)
    if account:
        os.chown(data, account.uid, account.gid)
    owner = "--same-owner" if account else "--no-same-owner"
    command = ["tar", "-x", "-z", "-f", str(ARCHIVE), "-C", str(data), owner]
    done = subprocess.run(command, capture_output=True, check=False, timeout=UNPACK_SECONDS)
    if done.returncode != 0:
        subprocess.run(["rm", "-rf", data], check=False)
        return None
    return PASSWORD


def pack_cluster(programs: Path) -> None:
    """Make a cluster with the server's account, and pack it. Needs root, as in the build of the image."""
    server = pwd.getpwnam(SERVER_ACCOUNT)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        password_file = folder / "password"
        password_file.write_text(PASSWORD + "\n")
        password_file.chmod(0o644)
        work = folder / "work"
        work.mkdir()
        os.chown(work, server.pw_uid, server.pw_gid)
        data = work / "data"
        subprocess.run(
            [str(programs / "initdb"), *initdb_arguments(data, password_file, "C.UTF-8")],
            user=server.pw_uid,
            group=server.pw_gid,
            extra_groups=[],
            cwd="/",
            check=True,
            stdout=subprocess.DEVNULL,
        )
        subprocess.run(["tar", "-c", "-z", "-f", ARCHIVE, "-C", data, "."], check=True)
    PROGRAMS_RECORD.write_text(f"{programs}\n")


if __name__ == "__main__":
    pack_cluster(Path(sys.argv[1]))
