"""Whether a line depends on an attribute of the configuration that is not set."""

from __future__ import annotations

import ast

import pytest

from migration_gate.replay.attribute_uses import uses_attribute

CASES = {
    "a lookup": ("config.attributes['db'].begin()  #", True),
    "another attribute": ("config.attributes['tenant'].begin()  #", False),
    "a variable": ("db = config.attributes.get('db')\ndb.begin()  #", True),
    "a variable with a fallback": (
        "db = config.attributes.get('db')\nif db is None:\n    db = make()\ndb.begin()  #",
        False,
    ),
    "a variable of a function": (
        "def run():\n    with engine.connect() as db:\n        pass\n"
        "db = config.attributes.get('db')\ndb.begin()  #",
        True,
    ),
    "an argument on a line of its own": ("db = config.attributes.get('db')\nrun(  #\n    db\n)", True),
    "the head of a block": ("db = config.attributes.get('db')\nwith db.begin():  #\n    pass", True),
    "a line in a block": ("db = config.attributes.get('db')\nwith db:\n    other.begin()  #", False),
    "an exit that depends on it": (
        "db = config.attributes.get('db')\nif not db:\n    sys.exit('no')  #",
        True,
    ),
    "an error in a branch that depends on it": (
        "if not config.attributes.get('db'):\n    make(None)  #",
        False,
    ),
}


@pytest.mark.parametrize(("source", "expected"), CASES.values(), ids=CASES)
def test_a_line_depends_on_the_attribute(source: str, expected: bool) -> None:
    line = next(number for number, text in enumerate(source.splitlines(), 1) if text.endswith("#"))
    assert uses_attribute(ast.parse(source), line, "db") is expected
