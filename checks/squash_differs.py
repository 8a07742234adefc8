"""A squash leaves another catalog than the revisions that it replaces.

A new database begins with the squash, an old one has run the revisions: from then on the two differ, and
every later revision meets two different schemas.

Instead, make the new first revision leave exactly what the old ones left, object by object.
"""

from collections.abc import Iterator

from migration_gate.analysis.history_change import HistoryChange, Squash, compare_histories
from migration_gate.analysis.squash_texts import (
    count_row_statements,
    describe_row_statements,
    describe_squash,
    describe_stamp,
)
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts, ObjectChange
from migration_gate.wording import count_noun, join_lines

SEVERITY = Severity.ERROR
SUBJECT = Subject.REVISION
KINDS = ("unproved",)
MAX_LISTED = 40
"""objects that are listed one by one"""


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for a squash with another catalog, or with one that could not be compared."""
    change = compare_histories(facts)
    if change is None or change.squash is None or facts.replay.history.error is not None:
        return
    proof = change.base.squash_proof
    if proof is not None and proof.differences:
        yield _describe_differences(facts, change, change.squash, proof.differences)
    elif proof is None and facts.replay.failure is None:
        yield _describe_unproved(change, change.squash)


def _describe_differences(
    facts: Facts, change: HistoryChange, squash: Squash, differences: tuple[ObjectChange, ...]
) -> Finding:
    known = [item for item in differences if item.is_known]
    first = squash.replacements[0]
    rows = count_row_statements(facts, squash)
    objects = count_noun(len(known or differences), "object")
    verb = "differs" if len(known) == 1 else "differ"
    subject = f"The {describe_squash(change, squash)}"
    message = f"{subject} leaves another catalog: {objects} {verb}"
    if not known:
        message = (
            f"{subject} may leave another catalog: {objects} cannot be compared, because later revisions of "
            "the change alter them, too"
        )
    return Finding(
        object=first.id,
        message=message,
        location=first.location,
        revision=first.id,
        evidence=(*_list_differences(differences), *describe_row_statements(rows)),
        fix=f"Make `{first.id}` leave what the old revisions left"
        f"{'' if known else ', and add further revisions in a change of their own'}. "
        f"{describe_stamp(change, squash)}",
        kind=None if known else "unproved",
    )


def _list_differences(differences: tuple[ObjectChange, ...]) -> Iterator[Evidence]:
    for item in differences[:MAX_LISTED]:
        doubt = "" if item.is_known else " (a later revision alters it, too)"
        text = f"{_show(item.before)} -> {_show(item.after)}{doubt}"
        yield Evidence(f"{item.noun} {item.object}", text)
    if len(differences) > MAX_LISTED:
        yield Evidence("and", f"{len(differences) - MAX_LISTED} more")


def _show(text: str | None) -> str:
    return "missing" if text is None else join_lines(text) or "there"


def _describe_unproved(change: HistoryChange, squash: Squash) -> Finding:
    first = squash.replacements[0]
    return Finding(
        object=first.id,
        message=f"The {describe_squash(change, squash)} could not be compared: the catalog of the "
        "base is not known",
        location=first.location,
        revision=first.id,
        evidence=(Evidence("base", change.base.failure),) if change.base.failure else (),
        fix="Squash in a change of its own, on a base whose revisions run to their end. "
        f"{describe_stamp(change, squash)}",
        kind="unproved",
    )
