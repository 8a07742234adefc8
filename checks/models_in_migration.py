"""A migration creates what the models are today.

The history changes whenever a model does: a new database gets the new column, production never will,
and no comparison can tell, because the models are compared with themselves.

Instead, write out in the revision what it creates (`op.create_table(…)`), and give every later change
of a model a revision of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from migration_gate.analysis.borrowed_labels import BorrowedLabels, find_borrowed_labels
from migration_gate.analysis.model_statements import ModelUse, find_model_uses, is_of_installed_package
from migration_gate.analysis.op_code import quote_python
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts, ModelObject, ModelObjectKind, ModelStatement, Replay
from migration_gate.wording import code_block, join_words

SEVERITY = Severity.ERROR
SUBJECT = Subject.RUN_REVISION
KINDS = ("enum-labels", "column-types")

_TAKEN: Mapping[ModelObjectKind, str] = {"labels": "enum-labels", "type": "column-types"}
"""by kind of object: the kind of the finding about what a table of the revision's own takes"""
_BUILT = tuple(kind for kind in get_args(ModelObjectKind) if kind not in _TAKEN)
_MAX_NAMES = 6
_WRITE_OUT = """Write out what it created when it was written. On a checkout of the commit that added it, \
with an empty database, `alembic revision --autogenerate` writes the operations: put them in the place of \
this statement. What the models have got since belongs in a new revision: a database that has run \
`{revision}` gets it in no other way."""
_OUT_OF_ENV = """Delete the call, and let revisions create these tables: without it, on an empty database, \
`alembic revision --autogenerate` writes the one that is missing. Where a new database is to be set up by \
create_all and stamped, do that in a command of its own, not where the migrations run."""
_OUT_OF_PREPARE = """Start from the models of an earlier commit instead, and replay what came after it:{code}
Or create in `prepare:` what was there before the first revision, written out as SQL."""
_START_FROM = "start_from:\n  create_all: <commit>\n  stamp: <its head revision>"
_ALLOW_PACKAGE = """These tables are the package's own. Where its new versions change them too, no revision \
has to: then allow models-in-migration for `{object}` with that reason."""


def check(facts: Facts) -> Iterator[Finding]:
    """Yield what each revision, and each other file, built from the models while the history ran."""
    replay = facts.replay
    uses = find_model_uses(replay)
    known = {use.revision for use in uses if use.select_kind("table", "labels") is not None}
    for borrowed in find_borrowed_labels(replay):
        if borrowed.revision not in known:
            yield _describe_borrowed(borrowed)
    for use in uses:
        built = use.select_kind(*_BUILT)
        if built is not None:
            yield _describe_objects(replay, built)
        for kind, noun in _TAKEN.items():
            taken = use.select_kind(kind)
            if taken is not None:
                yield _describe_taken(replay, taken, noun)


def _describe_borrowed(borrowed: BorrowedLabels) -> Finding:
    """Labels that a revision makes without spelling them."""
    labels = ", ".join(map(quote_python, borrowed.enum.labels))
    code = f"sa.Enum({labels}, name={quote_python(borrowed.enum.name)})"
    return Finding(
        object=borrowed.revision,
        message=f"`{borrowed.revision}` makes labels of `{borrowed.enum}` that its text does not spell, but "
        f"imports {join_words(borrowed.modules)}: if they come from there, no comparison tells",
        location=borrowed.location,
        revision=borrowed.revision,
        evidence=(Evidence("statement", borrowed.statement),),
        fix=f"Write the labels out as they were when the revision was written:{code_block(code)}",
        kind="enum-labels",
    )


def _describe_objects(replay: Replay, use: ModelUse) -> Finding:
    objects = use.objects
    is_foreign = is_of_installed_package(replay, use)
    models = "an installed package's models" if is_foreign else "today's models"
    verb = "creates" if any(item.kind == "table" for item in objects) else "builds"
    return Finding(
        object=_name_caller(use),
        message=f"`{_name_caller(use)}` {verb} {_join_names(objects)} from {models}{_describe_time(use)}, "
        "so that a comparison with the models proves nothing",
        location=use.statements[0].location,
        revision=use.revision,
        evidence=tuple(_list_evidence(use)),
        fix=_describe_fix(use, is_foreign),
        severity=Severity.WARNING if is_foreign else None,
    )


def _describe_taken(replay: Replay, use: ModelUse, kind: str) -> Finding:
    """Labels or types that a table of the revision's own takes from the models."""
    objects = use.objects
    sources = join_words(dict.fromkeys(item.source for item in objects if item.source))
    if kind == "enum-labels":
        what = f"the labels of {_join_names(objects)} from {sources or 'the models'}, as they are today"
        labels = _suggest_labels(replay, objects)
        fix = f"Write the labels out as they were when the revision was written{labels}"
    else:
        what = f"the type of {_join_names(objects)} from today's models"
        fix = "Write the type out as it was when the revision was written."
    return Finding(
        object=_name_caller(use),
        message=f"`{_name_caller(use)}` takes {what}, so that a comparison with the models proves nothing",
        location=use.statements[0].location,
        revision=use.revision,
        evidence=tuple(_list_evidence(use)),
        fix=fix,
        kind=kind,
        severity=Severity.WARNING if kind == "column-types" else None,
    )


def _name_caller(use: ModelUse) -> str:
    """The revision or the file that uses the models."""
    return use.revision or use.file or "env.py"


def _join_names(objects: Sequence[ModelObject]) -> str:
    names = [item.name for item in objects]
    if len(names) <= _MAX_NAMES + 1:
        return join_words(names)
    shown = ", ".join(f"`{name}`" for name in names[:_MAX_NAMES])
    noun = "tables" if all(item.kind == "table" for item in objects) else "objects"
    return f"{shown} and {len(names) - _MAX_NAMES} more {noun}"


def _describe_time(use: ModelUse) -> str:
    if use.revision is not None:
        return ""
    return " before the first revision" if use.is_before_history else " beside the revisions"


def _list_evidence(use: ModelUse) -> Iterator[Evidence]:
    """Each statement, with the place if it is not the finding's own, and all names if they are many."""
    first = use.statements[0].location
    for statement in _distinct_statements(use):
        label = "statement" if statement.location in (None, first) else str(statement.location)
        if statement.code:
            yield Evidence(label, statement.code)
        innermost = statement.traceback[-1] if statement.traceback else ""
        if innermost and not innermost.startswith(f"{statement.location} "):
            yield Evidence("called in", innermost)
    names = [item.name for item in use.objects]
    if len(names) > _MAX_NAMES + 1:
        yield Evidence("from models", ", ".join(names))


def _distinct_statements(use: ModelUse) -> Iterator[ModelStatement]:
    """One for each place: a loop over tenants runs the same one many times."""
    seen = set()
    for statement in use.statements:
        call = (statement.location, statement.traceback)
        if call not in seen:
            seen.add(call)
            yield statement


def _describe_fix(use: ModelUse, is_foreign: bool) -> str:
    if is_foreign:
        return _ALLOW_PACKAGE.format(object=_name_caller(use))
    if use.revision is not None:
        return _WRITE_OUT.format(revision=use.revision)
    if use.statements[0].stage == "prepare":
        return _OUT_OF_PREPARE.format(code=code_block(_START_FROM))
    return _OUT_OF_ENV


def _suggest_labels(replay: Replay, objects: Sequence[ModelObject]) -> str:
    """The labels that the replayed database has, as code."""
    enums = {enum.name: enum for enum in replay.catalog.enums}
    types = {str(column): column.type.removesuffix("[]") for column in replay.catalog.columns}
    lines = []
    for item in objects:
        enum = enums.get(types.get(item.name, item.name).rpartition(".")[2])
        if enum is not None:
            labels = ", ".join(quote_python(label) for label in enum.labels)
            lines.append(f"sa.Enum({labels}, name={quote_python(enum.name)})")
    return f":{code_block(chr(10).join(dict.fromkeys(lines)))}" if lines else "."
