"""Mermaid: the shape of the history around its heads and merges, and the tables that findings are about.

Nothing of the project's stands in a diagram as it is: nodes have names of ours, labels are spelt in entities.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from migration_gate.analysis.revision_graph import build_graph
from migration_gate.facts import Column, Facts, History, Snapshot, Table, display_name
from migration_gate.report.printable_text import escape_unprintable
from migration_gate.verdict.outcome import ProjectReport
from migration_gate.wording import count_noun

NODES = 40
"""of a graph; GitHub's pages get slow and illegible long before Mermaid's own limits"""
TABLES, COLUMNS = 12, 14
RECENT = 12
"""a merge matters to a reviewer while it is among this many newest revisions"""
RUN = 3
"""a run of more plain revisions than this becomes one node"""
LABEL = 36
SHORT = (
    (re.compile(r"^character varying"), "varchar"),
    (re.compile(r"^character\b"), "char"),
    (re.compile(r"^timestamp(\(\d\))? with time zone"), r"timestamptz\1"),
    (re.compile(r"^timestamp(\(\d\))? without time zone"), r"timestamp\1"),
    (re.compile(r"^double precision"), "double"),
)


def escape_label(text: str, limit: int = LABEL) -> str:
    """`text` for a label in double quotes: letters, digits and a few signs stay, the rest are entities."""
    text = escape_unprintable(text if len(text) <= limit else f"{text[: limit - 1]}…")
    return "".join(c if c.isalnum() or c in " _-.,/…()" else f"#{ord(c)};" for c in text)


def render_history(one: History) -> str:
    """A flow chart of the newest part, where there are several heads or a merge to see; empty elsewhere."""
    graph = {
        each: tuple(dict.fromkeys(above)) for each, above in build_graph(one, with_dependencies=True).items()
    }
    below: dict[str, list[str]] = {each: [] for each in graph}
    for each, above in graph.items():
        for parent in above:
            below.setdefault(parent, []).append(each)
    heads = [each for each in graph if not any(below.get(each, ()))]
    recent = list(graph)[-RECENT:]
    merges = [each for each in recent if len(graph[each]) > 1 and len(heads) < 2]
    if len(heads) < 2 and not merges:
        return ""
    kept = _around(graph, heads, merges)
    return _chart(one, graph, below, kept)


def _around(graph: Mapping[str, tuple[str, ...]], heads: list[str], merges: list[str]) -> list[str]:
    """From the heads (or the merges) back to where their lines meet, newest first."""
    # The order of the replay is topological: a revision comes after all that it stands on.
    number = {each: at for at, each in enumerate(graph)}
    open_ends = {*heads, *merges}
    kept: list[str] = []
    more = 1
    while open_ends and len(kept) < 4 * NODES:
        newest = max(open_ends, key=lambda each: number.get(each, -1))
        open_ends.remove(newest)
        kept.append(newest)
        open_ends.update(p for p in graph.get(newest, ()) if p in graph and p not in kept)
        if len(open_ends) < 2 and not set(merges) - set(kept):
            more -= 1
            if more < 0:
                break
    return kept


def _chart(
    one: History, graph: Mapping[str, tuple[str, ...]], below: Mapping[str, list[str]], kept: list[str]
) -> str:
    runs = _runs(graph, below, kept)
    name = {each: f"r{at}" for at, run in enumerate(runs) for each in run}
    lines = ["flowchart LR"]
    for at, run in enumerate(runs[:NODES]):
        lines.append(f"  r{at}{_node(one, run, head=not below.get(run[0]))}")
    shown = {each for run in runs[:NODES] for each in run}
    edges: dict[str, None] = {}
    for each in (each for run in runs[:NODES] for each in run):
        known = one.find_revision(each)
        for parent in graph[each]:
            if parent in shown and name[parent] == name[each]:
                continue
            arrow = "-.->" if known and parent not in known.parents else "-->"
            edges[f"  {name[parent] if parent in shown else 'older'} {arrow} {name[each]}"] = None
    lines += edges
    left = len(graph) - len(shown)
    if any(edge.startswith("  older") for edge in edges):
        lines.append(f'  older(["{count_noun(left, "older revision") if left > 0 else "missing"}"])')
    lines.append("  classDef head stroke-width:3px,stroke:#cf222e" if _split(below, kept) else "")
    return "\n".join(line for line in lines if line)


def _split(below: Mapping[str, list[str]], kept: Iterable[str]) -> bool:
    """Several of them have nothing after them."""
    return sum(1 for each in kept if not below.get(each)) > 1


def _runs(
    graph: Mapping[str, tuple[str, ...]], below: Mapping[str, list[str]], kept: list[str]
) -> list[tuple[str, ...]]:
    """The revisions, newest first; those of a long plain line stand together."""
    inside = set(kept)

    def plain(each: str) -> bool:
        line = len(graph[each]) == 1 and len(below[each]) == 1
        return line and graph[each][0] in inside and len(below.get(graph[each][0], ())) == 1

    runs: list[tuple[str, ...]] = []
    done: set[str] = set()
    for each in kept:
        if each in done:
            continue
        run = [each]
        while plain(run[-1]) and plain(graph[run[-1]][0]) and graph[run[-1]][0] not in done:
            run.append(graph[run[-1]][0])
        done.update(run)
        runs += [tuple(run)] if len(run) > RUN else [(one,) for one in run]
    return runs


def _node(one: History, run: tuple[str, ...], *, head: bool) -> str:
    if len(run) > 1:
        return f'(["{count_noun(len(run), "revision")}"])'
    known = one.find_revision(run[0])
    message = f"<br/>{escape_label(known.message)}" if known and known.message.strip() else ""
    return f'["{escape_label(run[0], 16)}{message}"]{":::head" if head else ""}'


def render_tables(project: ProjectReport) -> str:
    """An entity diagram of the tables that findings are about, else of those touched last; may be empty."""
    facts = project.facts
    catalog = facts.replay.catalog
    chosen = list(dict.fromkeys((*_found(project, catalog), *_touched(facts))))[:TABLES]
    if not chosen:
        return ""
    name = {(each.schema, each.name): f"t{at}" for at, each in enumerate(chosen)}
    marked = {verdict.finding.object for verdict in project.verdicts if verdict.allowed is None}
    lines = ["erDiagram"]
    for each in chosen:
        lines.append(f'  {name[each.schema, each.name]}["{escape_label(str(each))}"] {{')
        lines += [f"    {line}" for line in _columns(catalog, each, marked)]
        lines.append("  }")
    lines += _references(catalog, chosen, name)
    return "\n".join(lines)


def _found(project: ProjectReport, catalog: Snapshot) -> Iterator[Table]:
    by_name = {str(table): table for table in catalog.tables}
    about = {(d.object): d.table for d in project.facts.replay.differences if d.table}
    for verdict in project.verdicts:
        at = verdict.finding.object
        schema, _, name = (about.get(at) or "").partition(".")
        for candidate in (at, at.rpartition(".")[0], display_name(schema, name)):
            if verdict.allowed is None and candidate in by_name:
                yield by_name[candidate]
                break


def _touched(facts: Facts) -> Iterator[Table]:
    """Tables that the newest revision touched."""
    by_oid = {table.oid: table for table in facts.replay.catalog.tables if table.oid}
    last = facts.replay.steps[-1].number if facts.replay.steps else 0
    for touch in facts.replay.ddl_commands:
        if last and touch.step == last and touch.oid in by_oid:
            yield by_oid[touch.oid]


def _columns(catalog: Snapshot, table: Table, marked: set[str]) -> Iterator[str]:
    constraints = catalog.constraints_of(table)
    keys = {
        mark: {column for one in constraints if one.kind == kind for column in one.columns}
        for mark, kind in (("PK", "primary key"), ("FK", "foreign key"))
    }
    columns = catalog.columns_of(table)

    def weight(column: Column) -> tuple[bool, bool, int]:
        key = any(column.name in names for names in keys.values())
        return (str(column) not in marked, not key, column.position)

    shown = sorted(sorted(columns, key=weight)[:COLUMNS], key=lambda column: column.position)
    for column in shown:
        marks = ", ".join(mark for mark, names in keys.items() if column.name in names)
        name = re.sub(r"\W", "_", column.name, flags=re.ASCII)
        words = [] if name == column.name else [escape_label(column.name)]
        words += ["null"] if column.nullable else []
        words += ["see findings"] if str(column) in marked else []
        comment = f' "{", ".join(words)}"' if words else ""
        yield f"{_type(column.type)} {_word(name)}{' ' if marks else ''}{marks}{comment}"
    if len(columns) > len(shown):
        yield f'and {_word("more")} "{count_noun(len(columns) - len(shown), "more column")}"'


def _type(text: str) -> str:
    for pattern, short in SHORT:
        text = pattern.sub(short, text)
    text = text.replace("[]", " array")
    return _word(re.sub(r"_+$", "", re.sub(r"\W+", "_", text[:LABEL], flags=re.ASCII)))


def _word(text: str) -> str:
    """A word that Mermaid takes for a type or a name: it begins with a letter."""
    return text if re.match(r"[A-Za-z]", text) else f"x{text}"


def _references(catalog: Snapshot, chosen: list[Table], name: Mapping[tuple[str, str], str]) -> Iterator[str]:
    by_full = {f"{table.schema}.{table.name}": name[table.schema, table.name] for table in chosen}
    for table in chosen:
        nullable = {column.name for column in catalog.columns_of(table) if column.nullable}
        for one in catalog.constraints_of(table):
            if one.kind == "foreign key" and one.references in by_full:
                single = "o|" if nullable & set(one.columns) else "||"
                label = escape_label(", ".join(one.columns))
                here, there = name[table.schema, table.name], by_full[one.references]
                yield f'  {here} }}o--{single} {there} : "{label}"'
