"""Plug-ins of pydantic are neither looked for nor loaded."""

import subprocess
import sys

PROGRAM = """
import sys
from migration_gate.config.loading import load_settings
assert "importlib.metadata" not in sys.modules, "loaded to look for plug-ins"
from pydantic import TypeAdapter
assert TypeAdapter(int).validate_python("1") == 1
from pydantic.plugin import _loader
assert _loader.get_plugins() == ()
print(_loader.PYDANTIC_ENTRY_POINT_GROUP)
"""


def test_nothing_is_loaded_to_look_for_plugins_and_all_else_of_the_module_is_there() -> None:
    done = subprocess.run([sys.executable, "-I", "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "pydantic\n"), done.stderr
