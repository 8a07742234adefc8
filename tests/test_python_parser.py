"""The walk over a parsed module."""

from __future__ import annotations

import ast
from pathlib import Path

from migration_gate.python_parser import parse_module, walk_nodes


def test_every_node_is_walked_once() -> None:
    tree = parse_module(Path(__file__).read_text("utf-8"))
    walked = list(walk_nodes(tree))
    expected = [node for node in ast.walk(tree) if not isinstance(node, ast.expr_context)]
    assert len(walked) == len(expected)
    assert set(map(id, walked)) == set(map(id, expected))
