"""Code that nests too deeply to be written out again hides nothing beside it, and ends nothing."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from migration_gate.doctor.custom_settings import find_custom_settings
from migration_gate.project.python_source import NESTS_TOO_DEEPLY, unparse_code
from migration_gate.project.settings_classes import find_fields
from migration_gate.project.variable_reads import ModuleNames, find_reads
from migration_gate.worker.setting_calls import find_setting_calls

SUM = " + ".join(["'a'"] * 600)
CHAIN = "x" + ".y()" * 400
LONG = pytest.mark.parametrize("long", [SUM, CHAIN], ids=["sum", "chain"])


@LONG
def test_it_is_not_written_out(long: str) -> None:
    assert unparse_code(ast.parse(long)) == NESTS_TOO_DEEPLY
    assert unparse_code(ast.parse("a + b")) == "a + b"


@LONG
def test_reads_beside_it_are_found(long: str) -> None:
    code = f"""
import os
a = os.environ["A"]
b = ({long})["B"]
c = ({long})("C")
if not ({long}): raise ValueError
assert {long}
d = int(os.environ["D"])
"""
    tree = ast.parse(code)
    assert [read.name for read in find_reads(tree, ModuleNames())] == ["A", "D"]
    found = [(call.name, call.type_name) for call in find_setting_calls(tree)]
    assert found == [("A", ""), ("B", ""), ("C", ""), ("D", "int")]


@LONG
def test_fields_beside_it_are_found(long: str) -> None:
    code = (
        f"class Settings(BaseSettings):\n    a: ({long})\n    b: str = ({long})()\n    c: str = Field(...)\n"
    )
    (settings_class,) = ast.parse(code).body
    assert isinstance(settings_class, ast.ClassDef)
    assert [field.name for field in find_fields(settings_class) if field.required] == ["A", "C"]


@LONG
def test_what_env_py_reads_is_found_although_it_is_set_to_that(tmp_path: Path, long: str) -> None:
    env_py = tmp_path / "env.py"
    env_py.write_text('url = config.attributes["url"]\n')
    (tmp_path / "app.py").write_text(f"config.attributes[{'url'!r}] = {long}\nconfig.x = ({long}).z\n")
    (setting,) = find_custom_settings(env_py, tmp_path)
    assert (setting.expression, setting.set_at) == ('cfg.attributes["url"]', "app.py:1")
