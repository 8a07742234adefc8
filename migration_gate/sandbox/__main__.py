"""The sandbox: starts the command, stays as its parent, and ends everything that the command started."""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress

if not __package__:  # started as a file, with nothing but the standard library on the path
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))  # noqa: PTH100, PTH120

from migration_gate.sandbox.capabilities import drop_capabilities
from migration_gate.sandbox.child_process import (
    adopt_orphans,
    die_with_parent,
    drop_privileges,
    forbid_new_privileges,
    forbid_reading_memory,
    fork_child,
    kill_descendants,
    wait_for_child,
)
from migration_gate.sandbox.connect_broker import ConnectBroker
from migration_gate.sandbox.landlock import restrict_writing
from migration_gate.sandbox.options import SandboxOptions, command_variables
from migration_gate.sandbox.seccomp import install_network_filter

NOTHING_READABLE = (
    "this kernel does not let the sandbox see which sockets the project's code connects to, so every "
    "connection was refused; allow the gate to trace its own processes (kernel.yama.ptrace_scope below 2)"
)
UNCHECKED_SOCKETS = (
    "this kernel cannot keep the project's code from other Unix sockets of this machine (Linux 5.9 can); no "
    "other Postgres has one in the usual folders"
)
OTHER_SERVER = (
    "Another Postgres has a socket here ({}), and this kernel cannot keep the project's code from it, so it "
    "does not run. Use Linux 5.9 or newer, or the gate's container image; `network: true` allows it."
)
USAGE_ERROR, NOT_CONFINED = 64, 77
"""exit statuses, as in sysexits.h"""


def main(arguments: list[str]) -> int:
    """Run the command and return its exit status (128 + signal where one killed it)."""
    if len(arguments) < 2:
        return USAGE_ERROR
    options, command = SandboxOptions.from_json(arguments[0]), arguments[1:]
    die_with_parent(signal.SIGKILL)
    adopt_orphans()
    _limit_writing(options)  # here too: the broker makes the files of the sockets that the command binds
    broker = ConnectBroker(options, guards_signals=True)
    child = fork_child(lambda: _execute(command, options, broker))
    if options.unix_sockets_only and not broker.start_answering(child):
        if others := broker.find_other_servers():
            kill_descendants(child)
            print(OTHER_SERVER.format(others[0]), file=sys.stderr)
            return NOT_CONFINED
        _write_note(UNCHECKED_SOCKETS, options.notes_descriptor)
        broker.allow_unchecked()
    elif broker.refuses_all:
        _write_note(NOTHING_READABLE, options.notes_descriptor)
    forbid_reading_memory()
    for descriptor in options.descriptors_to_close:
        os.close(descriptor)
    _handle_signals(child)
    die_with_parent(signal.SIGTERM)  # whose handler now ends the orphans, too
    status = wait_for_child(child)
    kill_descendants(child)
    return status if status >= 0 else 128 - status


def _execute(command: list[str], options: SandboxOptions, broker: ConnectBroker) -> None:
    """In the child: give up what the command must not have, then become the command."""
    os.setsid()
    drop_privileges(options.uid, options.gid)
    drop_capabilities()
    die_with_parent(signal.SIGKILL)  # after setuid(), which clears it
    forbid_new_privileges()
    _limit_writing(options)
    if options.unix_sockets_only:
        broker.install_filter()
    elif options.no_unix_sockets:
        install_network_filter()
    os.execve(command[0], command, command_variables())  # noqa: S606  (the interpreter that the gate chose)


def _limit_writing(options: SandboxOptions) -> None:
    """Limit this process as the options say; a child that does it again cannot reach this process."""
    if options.writable_folders is not None:
        forbid_new_privileges()
        restrict_writing(options.writable_folders)


def _write_note(text: str, notes_descriptor: int | None) -> None:
    """Write a note as a line of the command's answer."""
    if notes_descriptor is None:
        return
    text = text.encode("utf-8", "replace").decode()  # a socket's name need not be UTF-8
    note = {"kind": "note", "text": text}  # `Note` in worker/protocol/run_lines.py
    os.write(notes_descriptor, json.dumps(note).encode() + b"\n")


def _handle_signals(child: int) -> None:
    """A signal that ends the sandbox ends everything; SIGUSR1 goes on to the command, if that still runs."""

    def end_everything(number: int, frame: object) -> None:
        kill_descendants(child)
        os._exit(128 + number)

    def pass_on(number: int, frame: object) -> None:
        with suppress(ProcessLookupError):
            os.kill(child, number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end_everything)
    signal.signal(signal.SIGUSR1, pass_on)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
