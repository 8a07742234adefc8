"""Sizes of production's tables, in the configuration and in the file of `migration-gate sizes`."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from migration_gate.config.file_settings import load_file_settings
from migration_gate.config.judging_settings import take_judging_settings
from migration_gate.config.loading import load_settings
from migration_gate.config.size_text import SizeText, format_size, parse_size
from migration_gate.config.sizes_file import WrittenSize, format_sizes, parse_sizes
from migration_gate.errors import Misconfigured
from migration_gate.facts import TableSizes
from tests.support.project_files import write_files

YML = ".migration-gate.yml"
FILE = "gate.sizes"
GB = 1 << 30
TEXT = format_sizes(
    [
        WrittenSize("public", "orders", SizeText(123_456_789, 48 * GB + 1)),
        WrittenSize("public", "fresh"),
        WrittenSize("sales", 'a "b": c', SizeText(0, 0)),
    ],
    date(2027, 1, 31),
)


def load(folder: Path, text: str, sizes: str = TEXT) -> TableSizes:
    write_files(folder, {".git": "", YML: text, FILE: sizes})
    return load_settings(folder, {}, {})[0].sizes


@pytest.mark.parametrize(
    ("text", "rows", "size"),
    [
        ("48 GB", None, 48 * GB),
        ("48gib", None, 48 * GB),
        ("1.5 kB", None, 1536),
        ("0 bytes", None, 0),
        ("120 million", 120_000_000, None),
        ("1.2 thousand rows", 1200, None),
        ("1,234,567", 1_234_567, None),
        ("48", 48, None),
        ("1 row", 1, None),
        ("48 GB, 120 million rows", 120_000_000, 48 * GB),
        ("2 billion rows, 3 TB", 2 * 10**9, 3 * 1024 * GB),
    ],
)
def test_a_size_is_read_as_people_write_it(text: str, rows: int | None, size: int | None) -> None:
    assert parse_size(text) == SizeText(rows, size)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "big",
        "-5 GB",
        "48 GB, 3 GB",
        "1 million, 2 rows",
        "12 M",
        "1e9",
        "5 GB of",
        "9 billion PB",
        "12,34",
    ],
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^is `"):
        parse_size(text)


@pytest.mark.parametrize(
    "number", [0, 1, 999, 1000, 1023, 1024, 9_949, 99_999, 999_999, 1_048_575, 10**12 + 1]
)
def test_what_is_written_is_never_less_than_it_is_nor_much_more(number: int) -> None:
    read = parse_size(format_size(SizeText(number, number)))
    assert read.rows is not None
    assert read.bytes is not None
    for value in (read.rows, read.bytes):
        assert number <= value <= number * 1.1 + 1


def test_the_file_is_sorted_and_read_back() -> None:
    assert TEXT.splitlines()[0].startswith("# Sizes of 3 tables, from statistics of 2027-01-31.")
    assert TEXT.splitlines()[2:] == [
        "public.fresh: unknown",
        "public.orders: 124 million rows, 49 GB",
        'sales."a ""b"": c": 0 rows, 0 B',
    ]
    read = parse_sizes(TEXT, FILE)
    assert read.day == date(2027, 1, 31)
    assert [(table.schema, table.name, table.size) for table in read.tables] == [
        ("public", "fresh", None),
        ("public", "orders", SizeText(124_000_000, 49 * GB)),
        ("sales", 'a "b": c', SizeText(0, 0)),
    ]


LINES = TEXT.splitlines(keepends=True)


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("", f"{FILE}:1", "first line"),
        ("".join(LINES[1:]), f"{FILE}:1", "first line"),
        (TEXT.replace("2027-01-31", "2027-02-31"), f"{FILE}:1", "no date"),
        (TEXT.removesuffix("\n"), f"{FILE}:5", "cut off"),
        ("".join(LINES[:-1]), f"{FILE}:1", "it says that it has 3 tables, and has 2"),
        (TEXT.replace("124 million rows", "-1 rows"), f"{FILE}:4", "less than nothing"),
        (TEXT.replace("49 GB", "49 apples"), f"{FILE}:4", "has to be a size"),
        (TEXT.replace("public.fresh", "public.orders"), f"{FILE}:4", "twice"),
        (TEXT.replace("public.fresh", "<<<<<<< HEAD"), f"{FILE}:3", "does not read"),
        (TEXT + "=======\n", f"{FILE}:6", "does not read"),
    ],
)
def test_a_damaged_file_is_refused_with_its_line(tmp_path: Path, text: str, where: str, words: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        load(tmp_path, f"sizes: {FILE}", text)
    assert refused.value.where == where
    assert words in refused.value.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tables: {orders: -1}", "`tables.orders` is `-1`, and no table has less than nothing."),
        ("tables: {orders: big}", "`tables.orders` is `big`, and has to be a size"),
        ("tables: {orders: {rows: 5 GB}}", "`tables.orders.rows` is `5 GB`, and has to be a number of rows"),
        ("tables: {orders: {}}", "`tables.orders` must hold rows, bytes or both."),
        ("tables: {orders: true}", "`tables.orders` is `true`, and has to be a size"),
        ("tables: {a.b.c: 1 GB}", "`tables` names the table `a.b.c`"),
        ("tables: {orders: 1 GB, public.orders: 2 GB}", "`tables` has `public.orders` twice."),
        ("small_table: tiny", "`small_table` is `tiny`, and has to be a size"),
        ("sizes: nowhere.sizes", "`sizes` names the file `nowhere.sizes`, which does not exist."),
        ("sizes: .", "which is no file"),
    ],
)
def test_a_bad_setting_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        load(tmp_path, text)
    assert words in refused.value.message
    assert refused.value.where.startswith(YML)


def test_tables_win_over_the_file_and_what_is_unknown_is_no_size(tmp_path: Path) -> None:
    sizes = load(
        tmp_path,
        f"sizes: {FILE}\ntables:\n  orders: 8 kB, 3 rows\n  sales.Big Ones: 1 GB\n  '\"a.b\"': {{rows: 7}}\n",
    )
    assert (sizes.file, sizes.written) == (FILE, "2027-01-31")
    assert {str(size): (size.rows, size.bytes, size.origin) for size in sizes.tables} == {
        "orders": (3, 8192, f"{YML}:3"),
        "sales.Big Ones": (None, GB, f"{YML}:4"),
        "a.b": (7, None, f"{YML}:5"),
        'sales.a "b": c': (0, 0, f"{FILE}, 2027-01-31"),
    }


def test_the_settings_of_the_base_judge_by_its_sizes(tmp_path: Path) -> None:
    """A branch can neither add a table nor raise the limit; a file that the base has not says nothing."""
    base, branch = tmp_path / "base", tmp_path / "branch"
    write_files(base, {".git": "", YML: "tables: {orders: 48 GB}\nsizes: gone.sizes\n"})
    write_files(branch, {".git": "", YML: "tables: {orders: 1 kB, items: 1 kB}\nsmall_table: 50 GB\n"})
    settings = load_settings(branch, {}, {})[0]
    assert settings.sizes.list_small() == ("items", "orders")
    taken = take_judging_settings(settings, load_file_settings(base, "x").merged)
    assert [(str(size), size.bytes) for size in taken.sizes.tables] == [("orders", 48 * GB)]
    assert taken.sizes.list_small() == ()
