"""Which statements get handlers that note what they caught, and that nothing else of them changes."""

from __future__ import annotations

import pytest

from migration_gate.worker.observed_blocks import NOTE_CAUGHT, observe_block, without_notes

UPDATE = "DO $$ BEGIN UPDATE t SET a = 1; EXCEPTION WHEN {} THEN NULL; END $$"


@pytest.mark.parametrize(
    ("statement", "notes"),
    [
        (UPDATE.format("OTHERS"), 1),
        (UPDATE.format("unique_violation OR sqlstate '22P02'").replace("$$", "$b$") + " LANGUAGE plpgsql", 1),
        (
            "do $$ begin insert into t values (1); exception when check_violation then null;"
            " when others then null; end $$",
            2,
        ),
        ("DO $$ BEGIN ALTER TABLE t ADD a int; EXCEPTION WHEN OTHERS THEN NULL; END $$", 0),
        ("DO $$ BEGIN PERFORM 1; RAISE NOTICE 'EXCEPTION WHEN OTHERS THEN'; END $$", 0),
        ("DO $$ BEGIN UPDATE t SET a = CASE WHEN is_new THEN 1 END; END $$", 0),
        ("DO $$ BEGIN EXECUTE $f$ SELECT 1 $f$; EXCEPTION WHEN OTHERS THEN NULL; END $$", 0),
        ("CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS " + UPDATE.format("OTHERS")[3:], 0),
        ("DO $$ BEGIN UPDATE t SET a = CASE WHEN others THEN 1 END; END $$", 0),
        ("DO $$ BEGIN UPDATE t SET a = CASE WHEN others THEN 1 END; EXCEPTION WHEN others THEN END $$", 1),
        ("SELECT 1", 0),
    ],
)  # fmt: skip
def test_a_block_that_changes_rows_has_notes_in_its_handlers(statement: str, notes: int) -> None:
    observed = observe_block(statement)
    assert observed.count(NOTE_CAUGHT) == notes
    assert without_notes(observed) == statement
    assert observed.count("\n") == statement.count("\n")
