"""Whether a line depends on a setting that was asked for in vain."""

from __future__ import annotations

import ast

import pytest

from migration_gate.replay.setting_uses import depends_on, reads_attribute, reads_x_arguments

CASES = {
    "a lookup": ("config.attributes['db'].begin()  #", True),
    "another attribute": ("config.attributes['tenant'].begin()  #", False),
    "a variable": ("db = config.attributes.get('db')\ndb.begin()  #", True),
    "a variable with a fallback": (
        "db = config.attributes.get('db')\nif db is None:\n    db = make()\ndb.begin()  #",
        False,
    ),
    "what is made of a variable with a fallback": (
        "db = config.attributes.get('db')\nif db is None:\n    db = make()\nc = db.connect()\nc.run()  #",
        False,
    ),
    "a variable that is given what is made of it": (
        "db = config.attributes.get('db')\ndb = wrap(db)\ndb.begin()  #",
        True,
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


ARGUMENT_CASES = {
    "a variable of a mapping": (
        "x = context.get_x_argument()\ntenant = x.get('tenant')\nrun(tenant)  #",
        True,
    ),
    "the command line": ("dict(config.cmd_opts.x)['tenant']  #", True),
    "what a function returns": (
        "def find():\n    x = context.get_x_argument()\n    return x['a']\nrun(find())  #",
        True,
    ),
    "something else": ("tenant = context.get_x_argument().get('tenant')\nint('abc')  #", False),
    "a parser of another command line": ("x = context.get_x_argument()\nparser.parse_args()  #", False),
}


def find_marked_line(source: str) -> int:
    return next(number for number, text in enumerate(source.splitlines(), 1) if text.endswith("#"))


@pytest.mark.parametrize(("source", "expected"), CASES.values(), ids=CASES)
def test_a_line_depends_on_an_attribute(source: str, expected: bool) -> None:
    line = find_marked_line(source)
    assert depends_on(ast.parse(source), line, reads_attribute("db")) is expected


@pytest.mark.parametrize(("source", "expected"), ARGUMENT_CASES.values(), ids=ARGUMENT_CASES)
def test_a_line_depends_on_an_argument(source: str, expected: bool) -> None:
    assert depends_on(ast.parse(source), find_marked_line(source), reads_x_arguments) is expected
