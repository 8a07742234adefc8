"""Values that the project's code knows are tried before made-up ones, those of PostgreSQL first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from migration_gate.worker.known_choices import MOST_CHOICES, list_known_choices
from migration_gate.worker.placeholders import make_text_instead_of, suggest_texts


def raise_key_error(folder: Path, source: str) -> KeyError:
    """The error of a file of the project's."""
    file = folder / "settings.py"
    file.write_text(source, "utf-8")
    names: dict[str, Any] = {}
    with pytest.raises(KeyError) as caught:
        exec(compile(source, str(file), "exec"), names)
    return caught.value


def test_the_keys_of_the_dict_that_was_looked_into_are_choices(tmp_path: Path) -> None:
    error = raise_key_error(tmp_path, 'URLS = {"sqlite": 1, "prod": 2, "postgres": 3, "": 4}\nURLS["gate"]\n')
    assert list_known_choices(error, "gate") == ["postgres", "prod", "sqlite"]


@pytest.mark.parametrize(
    "source", ['{"a": {"b": 1}}["a"]["gate"]\n', 'URLS = {"a": {"b": 1}}\nURLS["a"]["gate"]\n']
)
def test_the_keys_of_a_dict_in_a_dict_are_choices(tmp_path: Path, source: str) -> None:
    assert "b" in list_known_choices(raise_key_error(tmp_path, source), "gate")


def test_very_many_keys_are_no_choice(tmp_path: Path) -> None:
    error = raise_key_error(
        tmp_path, f"URLS = dict.fromkeys(map(str, range({MOST_CHOICES + 1})))\nURLS['gate']\n"
    )
    assert list_known_choices(error, "gate") == []


@pytest.mark.parametrize(
    ("default", "expected"),
    [("sqlite", "postgresql"), ("mysql+pymysql", "postgresql"), ("sqlite.db", "gate"), (None, "gate")],
)
def test_a_dialect_is_replaced_and_a_file_is_not(default: str | None, expected: str) -> None:
    assert make_text_instead_of(default, "DB") == expected


def test_a_listed_choice_has_no_full_stop() -> None:
    assert list(suggest_texts("MODE", "Must be one of: dev, or prod."))[:2] == ["dev", "prod"]
