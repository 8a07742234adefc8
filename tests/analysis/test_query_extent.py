"""Which queries stop at the first rows."""

from __future__ import annotations

import pytest

from migration_gate.analysis.query_extent import reads_little

IN_BLOCK = "DO $$ BEGIN IF EXISTS (SELECT FROM item) THEN RAISE 'no'; END IF; END $$"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT EXISTS (SELECT 1 FROM item)",
        "select not exists(select from item where name is null limit 1)",
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM item)",
        "SELECT id FROM item WHERE name IS NULL LIMIT 1",
        "(SELECT id FROM item LIMIT 1)",
        "SELECT * FROM item FETCH FIRST 5 ROWS ONLY",
        "SELECT (SELECT id FROM item LIMIT 1)",
        "SELECT count(*) FROM (SELECT 1 FROM item LIMIT 1000) AS first",
        "WITH first AS (SELECT * FROM item LIMIT 1) SELECT * FROM first",
        "FETCH NEXT FROM items",
        IN_BLOCK,
    ],
)
def test_the_first_rows_are_enough_for_limit_and_exists(sql: str) -> None:
    assert reads_little(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM item",
        "SELECT count(*) FROM item WHERE NOT EXISTS (SELECT 1 FROM kind WHERE kind.id = item.kind_id)",
        "SELECT sum(n) FROM item WHERE id NOT IN (SELECT id FROM kind LIMIT 3)",
        "SELECT name FROM item ORDER BY name LIMIT 1",
        "SELECT count(*) FROM item LIMIT 1",
        "SELECT EXISTS (SELECT name FROM item GROUP BY name HAVING count(*) > 1)",
        "SELECT * FROM item, (SELECT 1 FROM kind LIMIT 1) AS first",
        "FETCH ALL FROM items",
    ],
)
def test_all_rows_are_read_where_each_one_counts(sql: str) -> None:
    assert not reads_little(sql)


@pytest.mark.parametrize(
    ("order", "is_of_index"),
    [
        ("id", True),
        ("item.id", True),
        ('shop.item."id" DESC NULLS LAST', True),
        ("kind_id, name", True),
        ("kind_id DESC, name DESC, size", True),
        ("ID", True),
        ('"ID"', False),
        ("name", False),
        ("name, kind_id", False),
        ("lower(id)", False),
        ("id + 1", False),
        ("id COLLATE other", False),
    ],
)
def test_the_order_of_an_index_spares_the_reading(order: str, is_of_index: bool) -> None:
    keys = [("id",), ("kind_id", "name"), (None, "name")]
    for end in ("LIMIT 250", "FETCH FIRST ROW ONLY", "OFFSET 5 LIMIT 3"):
        sql = f"SELECT name, id FROM item WHERE name > 'x' ORDER BY {order} {end}"
        assert reads_little(sql, keys) is is_of_index
        assert reads_little(f"SELECT count(*) FROM ({sql}) AS first", keys) is is_of_index
        assert not reads_little(sql)
