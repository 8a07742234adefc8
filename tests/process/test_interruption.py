"""A signal ends a run, whoever takes the exception; and clean-up is not interrupted."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from migration_gate.process.interruption import STOPPING_SIGNALS

PREAMBLE = """
import os, signal, sys, time
from functools import partial
from migration_gate.process.interruption import *
from migration_gate.process import interruption
raise_on_signals()
stop = partial(os.kill, os.getpid(), signal.SIGTERM)
"""
DROPPED = {
    "by a bare except": """
try:
    stop()
except:
    pass
""",
    "by a finalizer": """
class Resource:
    def __del__(self):
        stop()
Resource()
""",
    "by a callback of C code": """
import ctypes
ctypes.CFUNCTYPE(None)(stop)()
""",
    "twice": """
for attempt in range(2):
    try:
        stop() if attempt == 0 else time.sleep(60)
    except Terminated:
        pass
""",
    "by an import that fails otherwise": """
sys.path.insert(0, sys.argv[1])
try:
    import stopping
except ImportError:
    pass
""",
}
CLEAN_UPS = {
    "finally": """
try:
    stop()
finally:
    clean_up()
""",
    "a context manager": """
class Resource:
    def __enter__(self): pass
    def __exit__(self, *error): clean_up()
with Resource():
    stop()
""",
    "a generator that is closed": """
def examine():
    try:
        yield
    finally:
        clean_up()
examination = examine()
next(examination)
try:
    stop()
finally:
    examination.close()
""",
    "another error in its place": """
try:
    try:
        stop()
    except Terminated:
        raise OSError from None
except OSError:
    clean_up()
    raise
""",
    "an error with another cause": """
earlier = ValueError()
try:
    try:
        stop()
    except Terminated:
        raise OSError from earlier
except OSError:
    clean_up()
    raise
""",
    "an error that is its own cause": """
failed = OSError()
try:
    try:
        stop()
    except Terminated:
        raise failed from failed
except OSError:
    clean_up()
    raise
""",
    "a block without interruption": """
with without_interruption():
    stop()
    clean_up()
""",
}


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A program that a signal is to end, at which it prints the signal's status; else it prints `went on`."""
    lines = "".join(f"    {line}\n" for line in code.strip().splitlines())
    program = f"""{PREAMBLE}
def clean_up():
    time.sleep(3 * interruption.REMINDER_SECONDS)
    print("cleaned up")
try:
{lines}
    time.sleep(60)
    print("went on")
except (Terminated, OSError) as error:
    forget_interruption()
    time.sleep(2 * interruption.REMINDER_SECONDS)
    print(getattr(error, "status", "error"))
"""
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False, timeout=50
    )


@pytest.mark.parametrize("code", DROPPED.values(), ids=DROPPED.keys())
def test_a_signal_that_somebody_drops_is_raised_again(code: str, tmp_path: Path) -> None:
    (tmp_path / "stopping.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\nraise ImportError\n"
    )
    ended = run(code, str(tmp_path))
    assert (ended.stdout, ended.stderr) == ("143\n", "")


@pytest.mark.parametrize("code", CLEAN_UPS.values(), ids=CLEAN_UPS.keys())
def test_clean_up_is_not_interrupted(code: str) -> None:
    ended = run(code)
    status = "error" if "OSError" in code else "143"
    assert (ended.stdout, ended.stderr) == (f"cleaned up\n{status}\n", "")


def test_what_is_no_signal_is_reported_from_finalizers() -> None:
    ended = run(
        "class Resource:\n    def __del__(self):\n        raise ValueError('lost')\nResource()\nstop()"
    )
    assert "ValueError: lost" in ended.stderr
    assert ended.stdout == f"{128 + signal.SIGTERM}\n"


def test_several_signals_at_a_time_are_one() -> None:
    ended = run("""
signal.pthread_sigmask(signal.SIG_BLOCK, interruption.STOPPING_SIGNALS)
for number in interruption.STOPPING_SIGNALS:
    os.kill(os.getpid(), number)
try:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, interruption.STOPPING_SIGNALS)
finally:
    clean_up()
""")
    assert ended.stdout in {f"cleaned up\n{128 + number}\n" for number in STOPPING_SIGNALS}
    assert ended.stderr == ""


def test_what_a_program_was_started_to_ignore_stays_ignored() -> None:
    code = f"{PREAMBLE}os.kill(os.getpid(), signal.SIGHUP)\nprint('went on')\nstop()"
    ended = subprocess.run(
        ["nohup", sys.executable, "-c", code],
        capture_output=True, text=True, check=False, timeout=50,
    )  # fmt: skip
    assert ended.stdout == "went on\n"
    assert "Terminated" in ended.stderr


def test_a_signal_that_comes_too_late_changes_nothing() -> None:
    code = (
        PREAMBLE
        + "with without_interruption():\n    stop()\n    ignore_signals()\n    forget_interruption()\n"
    )
    code += "import atexit\natexit.register(time.sleep, 5 * interruption.RETRY_SECONDS)\n"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize("error", ["ValueError('made of it')", "GateError('made of it', advice='x')"])
def test_another_error_that_code_in_c_made_of_it_is_the_interruption(error: str) -> None:
    done = run(
        f"""
from migration_gate import cli
from migration_gate.errors import GateError

def main(*_, **__):
    try:
        stop()
    except Terminated:
        pass
    raise {error} from None

cli.command_line.main = main
sys.exit(cli.run_command_line(["check"]))
"""
    )
    assert done.returncode == 128 + signal.SIGTERM
    assert done.stderr == "Interrupted; nothing is left behind.\n"
