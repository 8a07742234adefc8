"""A URL that nothing has filled in stands for the ephemeral database; any other is the project's."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.engine import make_url

from migration_gate.worker.dialect_choice import DialectChoice


class Notes:
    """The redirection, as far as it is used here."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


def adapt(url: Any) -> tuple[Any, list[str]]:
    notes = Notes()
    return DialectChoice(notes)._adapt_url(url, make_url), notes.texts  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("template", "database"),
    [
        ("{db_url}", "gate"),
        ("{}", "gate"),
        (" ${DATABASE_URL} ", "gate"),
        ("$DATABASE_URL", "gate"),
        ("<your-database-url>", "gate_your"),
        ("@DB_URL@", "gate"),
        ("%(db_url)s", "gate"),
        ("{users_db_url}", "gate_users"),
    ],
)
def test_a_template_is_a_url_of_its_own(template: str, database: str) -> None:
    """Two of them are two databases, as two variables are."""
    url, notes = adapt(template)
    assert (url.get_backend_name(), url.database) == ("postgresql", database)
    assert f"`{template.strip()}`, which nothing has filled in" in notes[0]


@pytest.mark.parametrize("url", ["postgresql://app:{x}@db/{name}", "postgresql://$USER@db/<app>"])
def test_what_has_more_than_a_template_is_left_alone(url: str) -> None:
    adapted, notes = adapt(url)
    assert (adapted.password, adapted.username, adapted.database) == (
        make_url(url).password,
        make_url(url).username,
        make_url(url).database,
    )
    assert not notes
