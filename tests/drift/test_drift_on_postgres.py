"""Differences between catalogs of a real server: all of them are found, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.drift.example_schema import metadata
from benchmarks.drift.mutations import (
    DRIFT_MUTATIONS,
    HARMLESS_MUTATIONS,
    ORIGIN_MUTATIONS,
    UNMANAGED_MUTATIONS,
)
from tests.support.drift_example import DriftExample, start_drift_example
from tests.support.release_tests import first_in_every_run


@pytest.fixture(scope="module")
def example() -> Iterator[DriftExample]:
    with start_drift_example() as started:
        yield started


def test_the_example_schema_is_large_enough_to_mean_something() -> None:
    assert len(metadata.tables) >= 20
    assert len(DRIFT_MUTATIONS) >= 187


@pytest.mark.slow
def test_a_schema_that_agrees_with_its_models_has_no_drift(example: DriftExample) -> None:
    assert example.find_differences() == ()


@pytest.mark.slow
def test_other_spellings_of_the_same_are_no_drift(example: DriftExample) -> None:
    false_alarms = {}
    for mutation in HARMLESS_MUTATIONS:
        if differences := example.find_differences(mutation.statements):
            false_alarms[mutation.description] = differences
    assert false_alarms == {}


@pytest.mark.slow
def test_objects_that_models_cannot_express_are_listed_as_unmanaged(example: DriftExample) -> None:
    for mutation in UNMANAGED_MUTATIONS:
        differences = example.find_differences(mutation.statements)
        assert {difference.kind for difference in differences} == {"unmanaged"}, mutation
        assert all(difference.object_noun for difference in differences), mutation


@pytest.mark.slow
@pytest.mark.parametrize("half", first_in_every_run([0, 1], 1))
def test_every_difference_is_found_under_its_kind(example: DriftExample, half: int) -> None:
    others = [mutation for mutation in DRIFT_MUTATIONS if mutation not in ORIGIN_MUTATIONS]
    for mutation in others[half::2]:
        kinds = {difference.kind for difference in example.find_differences(mutation.statements)}
        is_found = bool(kinds) if mutation.category == "quoted" else mutation.category in kinds
        assert is_found, (mutation, kinds)


@pytest.mark.slow
@pytest.mark.parametrize("half", first_in_every_run([0, 1], 1))
def test_every_difference_is_found_with_the_statement_that_made_it(example: DriftExample, half: int) -> None:
    for mutation in (*ORIGIN_MUTATIONS[half::2], *DRIFT_MUTATIONS[half::12]):
        origins = [f for f in example.find_origins(mutation) if f.difference.kind != "unmanaged"]
        assert origins, mutation
        for found in origins:
            assert found.statement == mutation.find_culprit(found.difference), (mutation, found)
