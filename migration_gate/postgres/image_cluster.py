"""The cluster that our image brings, packed: unpacking it takes a third of the time of initdb.

In the image nothing is put into the user's cache: on GitHub that is a folder of the runner's, which could
not remove what root leaves there. `python -m migration_gate.postgres.image_cluster FOLDER` packs the cluster
when the image is built, with the programs in that folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from migration_gate.config.gate_variables import IMAGE_VARIABLE
from migration_gate.sandbox.user import Account

ARCHIVE = Path("/opt/migration-gate/cluster.tar.gz")
PASSWORD = "replaced-at-every-start"  # noqa: S105  (every start sets one of its own)
USER = "postgres"


def in_image() -> bool:
    """Whether this is our image."""
    return bool(os.environ.get(IMAGE_VARIABLE))


def unpack(programs: Path, data: Path, account: Account | None) -> str | None:
    """Put the cluster into `data`, which must not exist; its superuser's password, or None without one."""
    made_with = ARCHIVE.with_name("cluster.programs")
    if not in_image() or not ARCHIVE.exists() or made_with.read_text().strip() != str(programs):
        return None
    data.mkdir(mode=0o700)
    if account:
        os.chown(data, account.uid, account.gid)
    owner = "--same-owner" if account else "--no-same-owner"
    done = subprocess.run(
        ["tar", "-x", "-z", "-f", ARCHIVE, "-C", data, owner], capture_output=True, check=False, timeout=60
    )
    if done.returncode != 0:
        subprocess.run(["rm", "-rf", data], check=False)
        return None
    return PASSWORD


def pack(programs: Path, words: tuple[str, ...]) -> None:
    """Make the cluster as root, with the server's account."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "password").write_text(PASSWORD + "\n")
        for path in (folder, folder / "password"):
            path.chmod(0o755 if path == folder else 0o644)
        (folder / "work").mkdir()
        os.chown(folder / "work", *_ids())
        data = folder / "work" / "data"
        command = [f"{programs}/initdb", "-D", f"{data}", "--locale=C.UTF-8", f"--pwfile={folder}/password"]
        command += ["--auth=scram-sha-256", *words]
        subprocess.run(
            command, user=USER, group=USER, extra_groups=[], cwd="/", check=True, stdout=subprocess.DEVNULL
        )
        subprocess.run(["tar", "-c", "-z", "-f", ARCHIVE, "-C", data, "."], check=True)
    ARCHIVE.with_name("cluster.programs").write_text(f"{programs}\n")


def _ids() -> tuple[int, int]:
    import pwd  # noqa: PLC0415

    entry = pwd.getpwnam(USER)
    return entry.pw_uid, entry.pw_gid


if __name__ == "__main__":
    from migration_gate.postgres.initdb_cache import INITDB

    pack(Path(sys.argv[1]), INITDB)
