"""Which PostgreSQL driver is added, and which is replaced by its wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from migration_gate.install import postgres_driver
from migration_gate.install.postgres_driver import choose_missing_driver, find_replacements
from tests.support.install_projects import ASYNC_ENV, ENV


@pytest.mark.parametrize(
    ("packages", "env", "expected"),
    [
        ({"sqlalchemy": "1.4.54"}, ENV, ("psycopg2-binary",)),
        ({"sqlalchemy": "2.0.40"}, ENV, ("psycopg2-binary",)),
        ({"sqlalchemy": "2.1.0"}, ENV, ("psycopg[binary]",)),
        ({"sqlalchemy": "2.0.40"}, ASYNC_ENV, ("asyncpg", "greenlet")),
        ({"sqlalchemy": "2.0.40"}, "url = 'postgresql+psycopg://x'", ("psycopg[binary]",)),
        ({"sqlalchemy": "2.0.40", "pg8000": "1.31"}, ENV, ()),
    ],
)
def test_a_missing_driver_is_the_one_that_the_project_would_load(
    tmp_path: Path, packages: dict[str, str], env: str, expected: tuple[str, ...]
) -> None:
    (tmp_path / "env.py").write_text(env)
    driver = choose_missing_driver(packages, [tmp_path / "env.py"])
    assert (driver.packages if driver else ()) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alembic\npsycopg2>=2.9, <3 # fast\n", "psycopg2-binary>=2.9,<3"),
        ("psycopg2==2.9.10 ; python_version > '3.8' --hash=sha256:00\n",
         "psycopg2-binary==2.9.10 ; python_version > '3.8'"),
        ('dependencies = [\n    "psycopg2>=2.9; python_version > \'3.8\'",\n]\n', "psycopg2-binary>=2.9"),
        ("psycopg-c==3.2.1\n", "psycopg-binary==3.2.1"),
        ("psycopg2-binary==2.9.9\npsycopg2-pool\n# psycopg2\n", ""),
    ],
)  # fmt: skip
def test_a_driver_that_has_to_be_built_is_replaced_by_its_wheel(
    monkeypatch: pytest.MonkeyPatch, text: str, expected: str
) -> None:
    monkeypatch.setattr(postgres_driver, "can_build_drivers", lambda: False)
    replacements = find_replacements([text])
    assert [replacement.requirement for replacement in replacements] == ([expected] if expected else [])


def test_a_driver_is_not_replaced_where_it_can_be_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_driver, "can_build_drivers", lambda: True)
    assert find_replacements(["psycopg2==2.9.10\n"]) == []
