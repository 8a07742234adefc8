"""The hook that notes which files the project's code has read: it disturbs nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import migration_gate

CODE = """
import io, os, sys
sys.path.insert(0, sys.argv[1])
from migration_gate.worker.files_read import FilesRead
files = FilesRead()
files.watch()
for values in ([], ["short"], ["x", "r", None], [object(), "r", 0], ["a\\0b", "r", 0], [None, None, None]):
    sys.audit("open", *values)
sys.audit("os.listdir")
print(sorted(os.path.basename(path) for path in files.list_paths()))
raise KeyError("read")
"""


def test_odd_events_and_those_without_a_frame_raise_nothing(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(CODE)
    root = str(Path(migration_gate.__file__).parents[1])
    command = [sys.executable, "-I", str(script), root]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "short" in done.stdout
    # The interpreter reads the line that it shows, without a frame of Python code.
    assert done.stderr.splitlines()[-2:] == ['    raise KeyError("read")', "KeyError: 'read'"]
