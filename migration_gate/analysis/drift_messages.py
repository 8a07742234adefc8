"""A difference between database and models in words, with the lines of a revision that remove it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from textwrap import dedent
from typing import get_args

from migration_gate.analysis.difference_sides import (
    describe_only_side,
    describe_sides,
    find_unique_side,
    find_value_noun,
)
from migration_gate.analysis.evaluated_defaults import FROZEN, is_evaluated_default, write_call
from migration_gate.analysis.rename_advice import add_rename_advice, describe_spelled_renames
from migration_gate.analysis.revision_bodies import NO_DOWNGRADE
from migration_gate.analysis.storage_differences import is_about_storage
from migration_gate.analysis.type_width import is_narrowing, is_same_family
from migration_gate.check import Evidence
from migration_gate.facts import Difference, DifferenceKind, NameUse, Tree
from migration_gate.wording import code_block, count_noun, join_words

KINDS = tuple(kind.replace(" ", "-") for kind in get_args(DifferenceKind))
"""the kinds of difference, as `drift/kind` names them"""

ONE_REVISION = "see the one revision for all drift"
_WRITE_BY_HAND = "Correct {side}, or write a revision that makes the database agree with it."
_NOUNS: dict[DifferenceKind, str] = {
    "unique": "unique constraint",
    "check": "CHECK constraint",
    "exclusion": "exclusion constraint",
    "type definition": "type",
}
"""nouns of kinds that messages call by another name"""
_PROPERTIES: set[DifferenceKind] = {"type", "default", "comment", "table option"}
"""kinds that are a property of the object, and no object"""
_COUNTED_NOUNS = {
    "row security": "row security setting",
    "column storage": "column storage setting",
    "statistics": "statistics object",
}
"""nouns of unmanaged objects that need another word to be counted"""
_NO_CAST = "cannot cast type"
"""in Postgres' words"""
_REFUSES_VALUES = "GENERATED ALWAYS"
"""how the default begins for which an INSERT that names the column fails"""


def affects_no_query(difference: Difference) -> bool:
    """Whether no query is affected: a name, a comment, storage, a type or a default that was left behind."""
    if difference.harmless_because or difference.kind in ("name-only", "comment"):
        return True
    if is_leftover(difference) or is_about_storage(difference):
        return True
    is_left_behind = difference.kind == "default" and difference.models is None
    return is_left_behind and not (difference.database or "").startswith(_REFUSES_VALUES)


def is_leftover(difference: Difference) -> bool:
    """Whether it is a type or a sequence that the migrations made and no model uses."""
    return difference.kind in ("enum", "sequence") and difference.models is None


def describe_difference(difference: Difference, not_run: int = 0) -> str:
    """The difference in one sentence, the object first; also why no query is affected, if that is so.

    `not_run`: how many revisions did not run, of which one may make what is missing.
    """
    reason = f" ({difference.harmless_because})" if difference.harmless_because else ""
    return f"`{difference.object}`{_write_predicate(difference, not_run)}{reason}"


def _write_predicate(difference: Difference, not_run: int) -> str:
    """What follows the object's name in the sentence about it."""
    if _is_evaluated(difference):
        return _describe_evaluated(difference)
    match difference.kind:
        case "nullability":
            return _describe_nullability(difference)
        case "name-only":
            sides = describe_sides(difference)
            return f": only its name differs: {sides}" if sides else ": only its name differs"
        case "declared":
            return _describe_declared(difference, not_run)
        case _:
            return _describe_object(difference, not_run)


def _describe_nullability(difference: Difference) -> str:
    is_strict_in_models = "NOT NULL" in (difference.models or "").upper()
    return f" is NOT NULL in {'the models' if is_strict_in_models else 'the migrations'} only"


def _describe_lack(difference: Difference, not_run: int) -> str:
    """How it comes that the database lacks it: what a revision removed was made by an earlier one."""
    note = f" ({count_noun(not_run, 'revision')} did not run, by `target` or `start_from`)" if not_run else ""
    if difference.kind in _PROPERTIES:
        absence = f"the {'revisions that ran' if not_run else 'migrations'} end without it"
    elif difference.revision is not None:
        absence = f"revision `{difference.revision}` removed it"
    else:
        absence = f"no {'revision that ran' if not_run else 'migration'} makes it"
    return f"{absence}{note}"


def _find_noun(difference: Difference) -> str:
    """What messages call the object or the property."""
    return find_value_noun(difference) or _NOUNS.get(difference.kind, difference.kind)


def _describe_object(difference: Difference, not_run: int) -> str:
    """An object or a property that one side lacks, or that both sides have in two ways."""
    noun = _find_noun(difference)
    if difference.database is None:
        lack = _describe_lack(difference, not_run)
        return f": the models have this {noun}{_describe_value(difference)}, {lack}"
    if difference.models is None:
        verb = "uses" if is_leftover(difference) else "has"
        return f": the migrations make this {noun}{_describe_value(difference)}, no model {verb} it"
    return _describe_two_sides(difference, noun)


def _describe_declared(difference: Difference, not_run: int) -> str:
    """What the project's own comparison (alembic_utils, another plug-in, a comparator) wants."""
    noun = difference.object_noun
    if noun == "operation":
        return ": the project's own comparison asks for this operation"
    if difference.database is None:
        return f": the project declares this {noun}, {_describe_lack(difference, not_run)}"
    if difference.models is None:
        return f": the migrations make this {noun}, the project does not declare it"
    if sides := describe_sides(difference):
        return f": this {noun} differs: {sides}"
    return f": this {noun} differs between the migrations and what the project declares"


def _describe_two_sides(difference: Difference, noun: str) -> str:
    if difference.kind == "table":
        database_noun = (difference.database or "").partition(":")[0]
        return f" is a table in the models and a {database_noun} in the migrations"
    if side := find_unique_side(difference):
        return f": only the {side} make its values unique"
    noun = "type, with its default," if difference.includes_default else noun
    determiner = "its" if difference.kind in _PROPERTIES else "this"
    if sides := describe_sides(difference):
        return f": {determiner} {noun} differs: {sides}"
    return f": {determiner} {noun} differs between migrations and models"


def _describe_value(difference: Difference) -> str:
    """The value of a property that one side alone has."""
    return describe_only_side(difference) if difference.kind in _PROPERTIES else ""


def _is_evaluated(difference: Difference) -> bool:
    """Whether a default is no call although one was meant."""
    sides = (difference.database, difference.models)
    return difference.kind == "default" and any(map(is_evaluated_default, sides))


def _describe_evaluated(difference: Difference) -> str:
    """Which sides have such a default, and of which kind it is."""
    sides = {"migrations": difference.database, "models": difference.models}
    wrong = [side for side, text in sides.items() if is_evaluated_default(text)]
    if FROZEN in sides.values():
        return f": its default was evaluated once, by the DDL (in {join_words(wrong, quote='')})"
    return f": its default is the text of a call, not the call (in {join_words(wrong, quote='')})"


def describe_unmanaged(differences: Iterable[Difference]) -> tuple[str, tuple[Evidence, ...]]:
    """A sentence on the objects that models cannot express, and their names by kind."""
    names_by_noun: dict[str, list[str]] = defaultdict(list)
    for difference in sorted(differences, key=lambda item: (item.object_noun, item.object)):
        names_by_noun[difference.object_noun or "object"].append(difference.object)
    counts = [count_noun(len(names), _COUNTED_NOUNS.get(noun, noun)) for noun, names in names_by_noun.items()]
    evidence = tuple(Evidence(noun, ", ".join(names)) for noun, names in names_by_noun.items())
    return f"Models cannot express {join_words(counts, quote='')}: listed, not compared", evidence


def describe_fix(difference: Difference, uses: Sequence[NameUse] | None = None) -> str:
    """What to do: the lines of a revision if there are any that ran; a rename that may be meant.

    `uses`: places in the repository's Python that name what would be dropped; None if nobody looked.
    """
    fix = _describe_drop(difference, uses) if is_drop(difference) else _describe_change(difference)
    return add_rename_advice(difference, fix)


def is_drop(difference: Difference) -> bool:
    """Whether the revision would take rows or values away: a table or a column that no model has."""
    return difference.models is None and difference.kind in ("table", "column")


def select_uses(difference: Difference, tree: Tree) -> Sequence[NameUse] | None:
    """The places that name what the revision would drop; None if nobody looked for it."""
    name = find_dropped_name(difference)
    if not is_drop(difference) or name not in tree.searched_names:
        return None
    return [use for use in tree.name_uses if use.name == name]


def find_dropped_name(difference: Difference) -> str:
    """The name of the table or column alone."""
    return difference.column or (difference.table or difference.object).rpartition(".")[2]


def _describe_uses(uses: Sequence[NameUse] | None) -> str:
    """What the search for the name gave, in one sentence."""
    if uses is None:
        return ""
    if not uses:
        return " Its name stands nowhere in the repository's Python outside of the revisions."
    others = f" and {count_noun(len(uses) - 1, 'more place')}" if len(uses) > 1 else ""
    return f" Its name stands in {uses[0].location}{others}."


def _describe_drop(difference: Difference, uses: Sequence[NameUse] | None) -> str:
    """First how to keep what is there; the rows and values that would go cannot be counted here."""
    if difference.kind == "table":
        keep = "If it is in use, write its model, or import the model in env.py."
        loss = "all of its rows go with it; how many production holds is not known here"
    else:
        keep = "If it is in use, add it to the model."
        loss = "the values of all rows go with it; how many production holds is not known here"
    keep += _describe_uses(uses)
    keep += "\nOnly if it is to go, write "
    revision = format_revision(difference)
    if revision:
        return f"{keep}into a revision ({loss}):{_write_lines(difference, revision)}"
    return f"{keep}a revision that drops it: {loss}.{_describe_refusal(difference)}"


def _describe_change(difference: Difference) -> str:
    """The model first; then the lines that change the database."""
    revision = format_revision(difference)
    if difference.differs_in_names_alone or (difference.spelled_renames and not revision):
        return describe_spelled_renames(difference)
    if _is_evaluated(difference):
        return _describe_call(difference)
    if difference.fixed_by_others:
        return f"Correct the model. Else it changes together with another object: {ONE_REVISION}."
    side = "what the project declares" if difference.kind == "declared" else "the model"
    if not revision:
        return _WRITE_BY_HAND.format(side=side) + _describe_refusal(difference)
    if loss := _describe_loss(difference):
        return (
            f"Correct the model: {loss}.\nOnly if every value of production "
            f"fits into it, write into a revision:{_write_lines(difference, revision)}"
        )
    return f"Correct {side}, or write into a revision:{_write_lines(difference, revision)}"


def _describe_loss(difference: Difference) -> str:
    """Why values may be refused, cut or rounded by the other type; empty if none is."""
    if difference.kind != "type":
        return ""
    database, models = (
        (text or "").partition(" DEFAULT ")[0] for text in (difference.database, difference.models)
    )
    if is_same_family(database, models) and is_narrowing(database, models):
        return "its type is narrower than the column"
    if difference.loses_values or is_narrowing(database, models):
        return f"`{models}` does not hold every value of `{database}`"
    return ""


def _describe_call(difference: Difference) -> str:
    """How to give a call in the model; then the lines for the database."""
    call = write_call(difference)
    lines = []
    if is_evaluated_default(difference.models):
        lines.append(f"In the model, write `server_default={call}` in place of the string.")
    if is_evaluated_default(difference.database):
        lines.append(f"A revision writes it the same way: not a string, but `{call}`.")
    revision = format_revision(difference)
    if revision:
        lines[-1] += f" For the database:{_write_lines(difference, revision)}"
    return "\n".join(lines) + ("" if revision else _describe_refusal(difference))


def _write_lines(difference: Difference, revision: str) -> str:
    """The lines, and what they need to run."""
    block = code_block(revision)
    if not difference.runs_only_with:
        return block
    return f"{block}\nDo not run it alone ({difference.runs_only_with}): {ONE_REVISION}."


def _describe_refusal(difference: Difference) -> str:
    """Why no lines are offered, if some were written and run."""
    if not difference.fix_refused:
        return ""
    advice = f"\nNo lines are offered, because those that were tried failed: {difference.fix_refused}."
    if difference.kind == "type" and _NO_CAST in difference.fix_refused:
        advice += " Only you know how the values convert: give `postgresql_using` the expression for it."
    return advice


def format_revision(difference: Difference) -> str:
    """The bodies of a revision's two functions; empty if none can be written.

    The `def` lines are left out: with many differences, one revision removes them all.
    """
    upgrade = dedent(difference.upgrade).strip("\n")
    downgrade = dedent(difference.downgrade).strip("\n")
    if not upgrade.strip():
        return ""
    return f"# upgrade\n{upgrade}\n\n# downgrade\n{downgrade if downgrade.strip() else NO_DOWNGRADE}"
