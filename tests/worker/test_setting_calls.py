"""The places of the project's code that read settings, and the values that they may have."""

from __future__ import annotations

import ast

import pytest

from migration_gate.worker.placeholders import make_text, suggest_texts
from migration_gate.worker.setting_calls import find_setting_calls

CALLS = {
    "int(os.environ['A'])": ("A", "int"),
    "config('A', cast=uuid.UUID)": ("A", "uuid"),
    "env.timedelta('A')": ("A", "timedelta"),
    "env.email_url('A')": ("A", "email_url"),
    "with env.prefixed('X_'):\n    env.date('A')": ("X_A", "date"),
    "with env.prefixed('X_'), env.prefixed('Y_'):\n    env('A')": ("X_Y_A", ""),
    "with env.prefixed('X_'):\n    os.environ['A']": ("A", ""),
    "with env.prefixed('X_'):\n    os.environ.get('A')": ("A", ""),
    "with env.prefixed('X_'):\n    config('A')": ("A", ""),
}


@pytest.mark.parametrize("source", CALLS)
def test_a_call_is_known_by_its_name_and_type(source: str) -> None:
    assert [(call.name, call.type_name) for call in find_setting_calls(ast.parse(source))] == [CALLS[source]]


@pytest.mark.parametrize(
    ("type_name", "value"),
    [("uuid", "00000000-0000-4000-8000-000000000000"), ("date", "2000-01-01"), ("url", "http://localhost")],
)
def test_a_value_is_of_the_type_that_a_library_is_asked_for(type_name: str, value: str) -> None:
    assert make_text("SHOP_X", type_name) == value


@pytest.mark.parametrize(
    ("complaint", "value"),
    [
        ("Must be one of: prod, dev.", "prod"),
        ("must be greater than 0 and less than 1", "0.5"),
        ("No such file or directory: 'x'", "/dev/null"),
    ],
)
def test_a_complaint_leads_to_a_value_of_the_form_that_it_wants(complaint: str, value: str) -> None:
    assert value in list(suggest_texts("SHOP_X", complaint))[:8]


def test_a_text_has_the_length_that_a_complaint_names() -> None:
    lengths = {len(text) for text in suggest_texts("SHOP_X", "Length must be between 40 and 44.")}
    assert {40, 44} <= lengths
