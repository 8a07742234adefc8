"""A revision for an env.py that migrates several databases: a function for each, as in the multidb template.

def upgrade(engine_name):
    globals()[f"upgrade_{engine_name}"]()
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from textwrap import indent
from typing import Literal

from migration_gate.analysis.revision_bodies import complete_body, make_identifier
from migration_gate.facts import DriftRevision, EngineBody, Replay, StepKeywords
from migration_gate.wording import join_words

Direction = Literal["upgrade", "downgrade"]
_NOT_IN_IDENTIFIER = re.compile(r"\W")


def fit_environment(revision: DriftRevision, replay: Replay) -> DriftRevision:
    """The revision with the functions that this env.py calls."""
    calls = replay.step_keywords
    keyword = _find_engine_keyword(replay)
    others = {item.name for call in calls for item in call.keywords} - {keyword}
    revision = replace(revision, engine_keyword=keyword, takes_keywords=bool(others))
    if not keyword:
        return replace(revision, database=replay.database.rpartition("/")[2])
    judged = {call.find_value(keyword) or "" for call in calls if call.is_judged}
    all_engines = dict.fromkeys(call.find_value(keyword) or "" for call in calls)
    return replace(revision, engines=tuple(_write_body(revision, name, judged) for name in all_engines))


def _write_body(revision: DriftRevision, engine: str, judged: set[str]) -> EngineBody:
    """The whole change for the engine of the judged database, nothing for every other."""
    if engine in judged:
        return EngineBody(engine, revision.upgrade, revision.downgrade)
    return EngineBody(engine, "pass", "pass")


def _find_engine_keyword(replay: Replay) -> str:
    """The keyword whose value tells the judged database from the others; empty if there is none."""
    calls = replay.step_keywords
    if not replay.database or not calls:
        return ""
    judged = [call for call in calls if call.is_judged]
    others = [call for call in calls if not call.is_judged]
    for keyword in calls[0].keywords:
        if _have_distinct_values(keyword.name, judged, others):
            return keyword.name
    return ""


def _have_distinct_values(
    keyword: str, judged: Sequence[StepKeywords], others: Sequence[StepKeywords]
) -> bool:
    """Whether every call has a value of the keyword, and the judged ones share none with the others."""
    judged_values = {call.find_value(keyword) for call in judged}
    other_values = {call.find_value(keyword) for call in others}
    if not judged_values or not other_values or None in judged_values | other_values:
        return False
    return judged_values.isdisjoint(other_values)


def join_revisions(revisions: Sequence[DriftRevision | None]) -> tuple[DriftRevision | None, ...]:
    """The revisions of several databases as one, in the place of the first; they would be several heads.

    Those whose env.py does not name the engine stay as they are.
    """
    parts = [item for item in revisions if item is not None and item.engines]
    if len(parts) < 2 or len({item.engine_keyword for item in parts}) > 1:
        return tuple(revisions)
    joined: list[DriftRevision | None] = [None if item in parts else item for item in revisions]
    joined[revisions.index(parts[0])] = _merge_revisions(parts)
    return tuple(joined)


def _merge_revisions(parts: Sequence[DriftRevision]) -> DriftRevision:
    first = parts[0]
    bodies = _merge_bodies(parts)
    heads = _list_heads(parts)
    texts = (text for body in bodies.values() for text in (body.upgrade, body.downgrade))
    return replace(
        first,
        identifier=make_identifier((*heads, *texts)),
        depends_on=tuple(head for head in heads if head not in first.down_revision),
        upgrade="\n".join(_write_dispatch("upgrade", first.engine_keyword, bodies)),
        downgrade="\n".join(_write_dispatch("downgrade", first.engine_keyword, bodies)),
        differences=sum(part.differences for part in parts),
        left_out=tuple(dict.fromkeys(name for part in parts for name in part.left_out)),
        engines=tuple(bodies.values()),
        takes_keywords=any(part.takes_keywords for part in parts),
    )


def _list_heads(parts: Sequence[DriftRevision]) -> Sequence[str]:
    """Every head that one of the revisions follows or depends on, each once."""
    heads = (head for part in parts for head in (*part.down_revision, *part.depends_on))
    return list(dict.fromkeys(heads))


def _merge_bodies(parts: Sequence[DriftRevision]) -> Mapping[str, EngineBody]:
    """By engine, in the order of the first revision: the body of the revision that changes this engine."""
    bodies = {body.engine: body for body in parts[0].engines}
    for part in parts[1:]:
        bodies |= {body.engine: body for body in part.engines if _does_something(body)}
    return bodies


def _does_something(body: EngineBody) -> bool:
    return (body.upgrade, body.downgrade) != ("pass", "pass")


def format_functions(revision: DriftRevision) -> Iterator[str]:
    """`upgrade()` and `downgrade()` as env.py calls them, and the functions for each engine."""
    yield from _format_direction(revision, "upgrade")
    yield ""
    yield ""
    yield from _format_direction(revision, "downgrade")


def _format_direction(revision: DriftRevision, direction: Direction) -> Iterator[str]:
    parameters = [revision.engine_keyword, "**keywords" if revision.takes_keywords else ""]
    yield f"def {direction}({', '.join(filter(None, parameters))}):"
    if not revision.engines:
        yield indent(complete_body(getattr(revision, direction)), "    ")
        return
    names = [body.engine for body in revision.engines]
    yield indent("\n".join(_write_dispatch(direction, revision.engine_keyword, names)), "    ")
    for body in revision.engines:
        yield from ("", "", f"def {_function_name(direction, body.engine)}():")
        yield indent(complete_body(getattr(body, direction)), "    ")


def _write_dispatch(direction: Direction, keyword: str, engines: Iterable[str]) -> list[str]:
    """The lines that call the function of the engine.

    Names that are no identifiers (`shard-1`) are compared: looked up as globals, they would not be found.
    """
    engines = tuple(engines)
    if all(_function_name(direction, name) == f"{direction}_{name}" for name in engines):
        return [f'globals()[f"{direction}_{{{keyword}}}"]()']
    lines = []
    for name in engines:
        lines += [f"if {keyword} == {name!r}:", f"    {_function_name(direction, name)}()"]
    return lines


def _function_name(direction: Direction, engine: str) -> str:
    return f"{direction}_{_NOT_IN_IDENTIFIER.sub('_', engine)}"


def describe_databases(revision: DriftRevision) -> str:
    """For which databases it is, if env.py migrates several."""
    if revision.engines:
        engines = join_words([body.engine or "''" for body in revision.engines if _does_something(body)])
        return f" Its functions are those that env.py calls: it changes {engines}."
    if revision.database:
        return (
            f" It is for the database `{revision.database}` alone, but env.py runs each revision in all of "
            "its databases and names none (`context.run_migrations(engine_name=name)` would): have it look "
            "at which database it runs in."
        )
    return ""
