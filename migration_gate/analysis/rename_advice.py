"""What to do if a table or a column that one side lacks may be there under another name."""

from __future__ import annotations

from migration_gate.facts import Difference
from migration_gate.wording import code_block, join_words


def add_rename_advice(difference: Difference, advice: str) -> str:
    """The advice for what is no rename, and that for a rename: first if the two are much alike."""
    if not difference.rename_hint or difference.table is None:
        return advice
    fix = difference.rename_fix
    if fix is None:
        return f"{advice}\n{_describe_operation(difference)}"
    kept = "row" if difference.kind == "table" else "value"
    if fix.refused:
        return (
            f"{advice}\n{_describe_partner(difference)}: a rename would keep every {kept}. No lines are "
            f"offered for it, because those that were tried failed: {fix.refused}."
        )
    revision = code_block(f"# upgrade\n{fix.upgrade}\n\n# downgrade\n{fix.downgrade}")
    if fix.remaining:
        revision += f"\nThen look at {join_words(fix.remaining)} again."
    if not difference.rename_is_likely:
        return f"{advice}\n{_describe_condition(difference)}, this keeps every {kept}:{revision}"
    if_not = "it is new" if difference.database is None else "nothing has taken its place"
    return (
        f"{_describe_partner(difference)}. If so, write into a revision, which keeps every {kept}:{revision}"
        f"\nIf not, {if_not}. {advice}"
    )


def describe_spelled_renames(difference: Difference) -> str:
    """What to do about a definition that spells the name of something that may be renamed."""
    names = join_words([pair.database for pair in difference.spelled_renames])
    may_be = join_words([pair.models for pair in difference.spelled_renames])
    is_one = len(difference.spelled_renames) == 1
    if difference.differs_in_names_alone:
        differs = f"It differs in the name of {names} alone, which may be {may_be} in the models"
        rename = "a rename corrects this as well."
    else:
        differs = f"It differs in the name of {names}, which may be {may_be} in the models, and in more"
        rename = "rename first, and the next run offers lines for the rest."
    return (
        f"{differs}: {rename}\nIf {'it is' if is_one else 'they are'} no rename{'' if is_one else 's'}, "
        f"decide first what becomes of {names}: lines depend on that."
    )


def list_rename_names(difference: Difference) -> tuple[str, str] | None:
    """The name in the database and that in the models, as reports show them; None if no rename is meant."""
    if not difference.rename_hint or difference.table is None:
        return None
    old, new = (_display_name(difference, name) for name in _old_and_new_name(difference))
    return old, new


def _old_and_new_name(difference: Difference) -> tuple[str, str]:
    """The old and the new name, without schema and table."""
    own = difference.column or (difference.table or "").partition(".")[2]
    return (own, difference.rename_hint) if difference.models is None else (difference.rename_hint, own)


def _display_name(difference: Difference, name: str) -> str:
    """The name as reports show it."""
    own = difference.column or (difference.table or "").partition(".")[2]
    if "." in name and difference.kind == "table":
        return name.removeprefix("public.")
    return f"{difference.object.removesuffix(own)}{name}"


def _describe_partner(difference: Difference) -> str:
    """What it may be, in one sentence without its end."""
    partner = _display_name(difference, difference.rename_hint)
    if difference.models is None:
        return f"It may be `{partner}` in the models"
    return f"It may be `{partner}` under a new name"


def _describe_condition(difference: Difference) -> str:
    old, new = list_rename_names(difference) or ("", "")
    return f"If `{old}` was renamed to `{new}`"


def _describe_operation(difference: Difference) -> str:
    """The operation alone, if the rename was not tried."""
    old, new = _old_and_new_name(difference)
    schema, _, table = (difference.table or "").partition(".")
    keyword = "" if schema == "public" else f", schema={schema!r}"
    operation = f"op.rename_table({old!r}, {new!r}{keyword})"
    if difference.column:
        operation = f"op.alter_column({table!r}, {old!r}, new_column_name={new!r}{keyword})"
    return f"{_describe_condition(difference)}: `{operation}`"
