"""Starts the gate, isolated from variables and folders that others may write.

The gate has more rights than the project that it examines: its interpreter imports nothing from the folder in
which it is started, from `PYTHONPATH` or from the user's own packages (`python -I`). All `PYTHON*` variables
stay in the environment, for the project's interpreter. The installed command of a virtual environment is as
good as isolated where no such variable is set: it need not start anew, which takes 20 ms.

`--version` is answered first: nothing has been imported then but this module, and `os` and `sys`.
"""

import os
import sys

FILE = os.path.abspath(__file__)  # noqa: PTH100 - pathlib might be somebody else's
FOLDER = os.path.dirname(os.path.dirname(FILE))  # noqa: PTH120
HARMLESS_VARIABLES = ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE")
"""of those that Python reads: they change nothing of what is imported, and an isolated one is told them"""


def main() -> None:
    """Run the command line; first start this interpreter anew, if it is not isolated."""
    open_standard_streams()
    if sys.argv[1:] == ["--version"] and "migration_gate" in sys.modules:
        print(f"migration-gate {sys.modules['migration_gate'].__version__}")
        return
    if not sys.flags.isolated and not isolate_command():
        block_interrupts()
        os.execv(sys.executable, isolated_command(sys.argv[1:]))  # noqa: S606 - without a shell, as it should be
    if (
        FOLDER not in sys.path
    ):  # neither installed nor linked where an isolated interpreter looks: last of all
        sys.path.append(FOLDER)
    import signal  # noqa: PLC0415 - not before it is isolated

    # Ctrl-C ends it as SIGTERM does, without a traceback, until there is something to clean up.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    from migration_gate.cli import run_as_program  # noqa: PLC0415 - not before it is isolated

    run_as_program()


def isolate_command() -> bool:
    """Leave the folder of programs out of the search for modules; whether this interpreter is isolated then.

    It is one of a virtual environment, which knows no packages of the user's, and no variable told it more.
    """
    told = [name for name in os.environ if name.startswith("PYTHON") and name not in HARMLESS_VARIABLES]
    programs = os.path.dirname(os.path.abspath(sys.argv[0]))  # noqa: PTH100, PTH120
    if (
        told
        or getattr(sys.modules.get("site"), "ENABLE_USER_SITE", True) is not False
        or sys.flags.safe_path
        or sys.path[:1] != [programs]
        or programs != os.path.dirname(os.path.abspath(sys.executable))  # noqa: PTH100, PTH120
    ):
        return False
    del sys.path[0]
    return True


def block_interrupts() -> None:
    """Keep Ctrl-C for later: an interpreter that starts ends with a traceback of its own modules."""
    # Built in, so that no other module of the name is found:
    import _signal  # type: ignore[import-not-found] # noqa: PLC0415

    _signal.pthread_sigmask(_signal.SIG_BLOCK, {_signal.SIGINT})


def open_standard_streams() -> None:
    """Open those that the caller has closed: else the next file that is opened would take their place."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r" if number == 0 else "w"))  # noqa: SIM115, PTH123


def isolated_command(arguments: list[str]) -> list[str]:
    """This interpreter on this file, with what variables had told it about its streams and its cache."""
    options = ["-I"]
    if os.environ.get("PYTHONUNBUFFERED"):
        options.append("-u")
    if sys.dont_write_bytecode:
        options.append("-B")
    return [sys.executable, *options, FILE, *arguments]


if __name__ == "__main__":
    main()
