"""Runs in the gate's image: each attack alone, from the sandbox of the worker and from the server.

Prints as JSON what came of each. Uses the gate and the standard library only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg

from migration_gate.postgres.binaries import find_installations
from migration_gate.postgres.local import start_local
from migration_gate.postgres.server import Server
from migration_gate.sandbox.command import sandbox_command, sandbox_environment
from migration_gate.sandbox.user import choose_account
from tests.sandbox import process_attacks, socket_attacks
from tests.sandbox.decoy_sockets import open_decoy

PYTHON = "/usr/local/bin/python3"
THREADS = 4
TIMEOUT_SECONDS = 120.0
Run = Callable[[list[str]], str]
"""runs a command where the attacker is; what it printed"""


def run_in_sandbox(command: list[str]) -> str:
    """As the project's code is run."""
    account = choose_account(Path("/"), [Path(PYTHON)]).account
    done = subprocess.run(
        sandbox_command(command, account=account, unix_sockets_only=True, writable_folders=["/tmp"]),
        env=sandbox_environment({}), capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def run_in_server(server: Server) -> Run:
    """As a migration that has the server run a program."""

    def run(command: list[str]) -> str:
        program = " ".join(f"'{word}'" for word in command)
        text = f"{program} 2>&1 || true".replace("'", "''")
        with server.connect() as connection:
            connection.execute("CREATE TEMPORARY TABLE output (line text)")
            connection.execute(f"COPY output FROM PROGRAM '{text}'".encode())
            return "\n".join(str(row[0]) for row in connection.execute("SELECT line FROM output"))

    return run


def run_outside(command: list[str]) -> str:
    """Without a sandbox: shows that the visitors are counted."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    return done.stdout + done.stderr


def attack_sockets(run: Run, attack: socket_attacks.Attack) -> dict[str, object]:
    """One attack on sockets of its own."""
    with open_decoy() as decoy:
        program = decoy.folder / "program.py"
        program.write_text(socket_attacks.PRELUDE + attack.code)
        output = run([PYTHON, "-I", "-S", str(program), *decoy.arguments])
        return {"harm": decoy.count_visitors(), "output": output}


def attack_process(run: Run, attack: process_attacks.ProcessAttack) -> dict[str, object]:
    """One attack on a process of the same account."""
    account = choose_account(Path("/"), [Path(PYTHON)]).account
    victim = subprocess.Popen(
        ["/bin/sleep", "600"],
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        start_new_session=True,
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "program.py").write_text(process_attacks.PRELUDE + attack.code)
        output = run([PYTHON, "-I", "-S", str(folder / "program.py"), str(victim.pid)])
    harm = int(victim.poll() is not None)
    victim.kill()
    victim.wait()
    return {"harm": harm, "output": output}


def main() -> None:
    """All of them, some at a time."""
    os.umask(0o022)
    installation = find_installations().installations[0]
    with (
        tempfile.TemporaryDirectory() as folder,
        start_local(installation, folder=Path(folder), kind="local", reason="") as server,
        ThreadPoolExecutor(THREADS) as threads,
    ):
        tasks = {
            f"{where}: {attack.name}": threads.submit(attack_sockets, run, attack)
            for where, run in (("worker", run_in_sandbox), ("server", run_in_server(server)))
            for attack in socket_attacks.ATTACKS
        }
        tasks |= {
            f"process: {attack.name}": threads.submit(attack_process, run_in_sandbox, attack)
            for attack in process_attacks.PROCESS_ATTACKS
        }
        tasks["outside"] = threads.submit(attack_sockets, run_outside, socket_attacks.ATTACKS[0])
        results = {}
        for name, task in tasks.items():
            try:
                results[name] = task.result()
            except (psycopg.Error, OSError, subprocess.SubprocessError) as error:
                results[name] = {"harm": -1, "output": str(error)}
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
