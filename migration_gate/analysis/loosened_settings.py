"""Settings and allowances of the configuration file that let more pass than those of the base do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from migration_gate.analysis.pattern_coverage import list_uncovered
from migration_gate.facts import AllowanceText, GateFiles, Location
from migration_gate.lazy_dataclass import dataclass
from migration_gate.wording import count_noun, join_words

LEVELS = ("off", "note", "warning", "error")
"""of a check, ascending"""
LEVELS_OF_KINDS = {
    "drift/comment": "warning",
    "drift/name-only": "warning",
    "drift/unmanaged": "note",
    "models-in-migration/column-types": "warning",
}
"""kinds whose findings are always less severe than their check"""
ORDERED_VALUES: dict[str, tuple[str, ...]] = {
    "fail_on": ("error", "warning"),
    "scope": ("change", "all"),
    "policy": ("change", "base"),
    "rollback": ("off", "change", "all"),
    "observe": ("off", "change", "all"),
    "network": ("true", "false"),
    "owners.every_reference": ("false", "true"),
}
"""keys with their values, the loosest first"""
SMALL_TABLES = "sizes.small"
"""has the names of the tables that are small, by all settings and the file of sizes together"""
WIDENED_LISTS = ("raw_sql.allow", "owners.exempt", "owners.on_delete")
"""lists of what may be: more is looser"""
NARROWED_LISTS = ("owners.columns", "owners.tables", "watch", "forbid_allow", "postgres")
"""lists of what is looked at: less is looser"""
REPLACED_VALUES = ("owners.references", "extends", "rehearsal.sql_file", "rehearsal.python")
"""another value is as good as none"""
ADDED_VALUES = ("start_from", "prepare", "base", "baseline", "target.revision")
"""what is not there, or the default, is the strictest"""
MAX_SHOWN_ENTRIES = 10
"""new entries of the baseline that are shown"""
STRICTEST_TARGET = frozenset({"heads", "head"})
KINDS = {
    "checks": "check-level",
    "raw_sql": "raw-sql",
    "start_from": "start-from",
    "fail_on": "fail-on",
    "forbid_allow": "allowance",
    "sizes": "table-sizes",
}
"""the kind of finding by the first part of the key, where that is not the kind itself"""


@dataclass(frozen=True, slots=True)
class Loosening:
    """One thing that lets more pass than at the base."""

    kind: str
    object: str
    message: str
    location: Location | None = None
    was: str = ""
    """at the base"""
    becomes: str = ""
    is_certain: bool = True
    """false where it may be no loosening: it is said, and no more"""


def find_loosened_settings(base: GateFiles, change: GateFiles) -> Iterator[Loosening]:
    """What the configuration of the change loosens, key by key, in the order of the keys."""
    sides = _Sides(base, change)
    keys = dict.fromkeys(setting.key for setting in (*base.settings, *change.settings))
    for key in keys:
        if key.startswith("checks."):
            yield from _compare_level(key, sides)
        else:
            yield from _compare_value(key, sides)


def find_new_allowances(base: GateFiles, change: GateFiles) -> Iterator[AllowanceText]:
    """Entries of `allow:` that let pass what no entry of the base did."""
    for entry in change.allowances:
        if not any(_covers_entry(old, entry) for old in base.allowances):
            yield entry


def describe_allowance(entry: AllowanceText, base: GateFiles | None = None) -> Loosening:
    """A new allowance as a loosening."""
    what = f"allow {entry.check}" if entry.object in ("", "*") else f"allow {entry.check} {entry.object}"
    if entry.is_comment:
        place = "for its whole file" if not entry.object else "in a comment"
        message = f"`allow {entry.check}` is new {place}: {entry.reason}"
        file = entry.location.file if entry.location is not None else ""
        return Loosening("allowance", f"{entry.check} {file}", message, entry.location)
    older = base and next((old for old in base.allowances if _is_same_entry(old, entry)), None)
    if older:
        message = f"`{what}` holds {_describe_until(entry)}, no longer {_describe_until(older)}"
        return Loosening(
            "allowance", what, message, entry.location, _describe_until(older), _describe_until(entry)
        )
    until = f" (until {entry.until})" if entry.until else ""
    return Loosening("allowance", what, f"`{what}` is new: {entry.reason}{until}", entry.location)


def find_longer_baseline(base: GateFiles, change: GateFiles) -> Iterator[Loosening]:
    """Entries that the change adds to the baseline, if the gate was there before it."""
    known = {line.id for line in base.baseline_entries}
    added = [line for line in change.baseline_entries if line.id not in known]
    if added and (base.configuration or base.runs or base.baseline_entries):
        file = added[0].location.file
        yield Loosening(
            "baseline",
            file,
            f"`{file}` has {count_noun(len(added), 'finding')} that it had not at the base",
            added[0].location,
            becomes="\n".join(line.text for line in added[:MAX_SHOWN_ENTRIES]),
        )


@dataclass(frozen=True, slots=True)
class _Sides:
    """The configuration of the base and of the change."""

    base: GateFiles
    change: GateFiles

    def read_values(self, key: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The values of a key on both sides."""
        older, newer = self.base.find_setting(key), self.change.find_setting(key)
        return (older.values if older else ()), (newer.values if newer else ())

    def find_line(self, key: str) -> Location | None:
        """The line of the new value; the file, if the key is no longer there."""
        setting = self.change.find_setting(key)
        if setting is not None and setting.location is not None:
            return setting.location
        return Location(self.change.configuration) if self.change.configuration else None


def _compare_level(key: str, sides: _Sides) -> Iterator[Loosening]:
    """A check, or a kind of its findings, that is less severe."""
    older, newer = _read_level(key, sides.base), _read_level(key, sides.change)
    if _rank_level(newer) >= _rank_level(older):
        return
    name = key.removeprefix("checks.")
    if "/" in name and not _is_set(sides.change, key) and not _is_lowered_alone(name, sides):
        return  # the check itself was lowered: one finding is enough
    message = f"`{key}` went from `{older}` to `{newer}`"
    yield Loosening("check-level", key, message, sides.find_line(key), older, newer)


def _is_set(files: GateFiles, key: str) -> bool:
    setting = files.find_setting(key)
    return setting is not None and setting.location is not None


def _is_lowered_alone(name: str, sides: _Sides) -> bool:
    """Whether the setting of a kind went, while its check is what it was."""
    check = f"checks.{name.partition('/')[0]}"
    return _rank_level(_read_level(check, sides.change)) >= _rank_level(_read_level(check, sides.base))


def _read_level(key: str, files: GateFiles) -> str:
    """The level of a check or of a kind, whether set or not."""
    setting = files.find_setting(key)
    if setting is not None and setting.values:
        return setting.values[0]
    name = key.removeprefix("checks.")
    check = files.find_setting(f"checks.{name.partition('/')[0]}")
    level = check.values[0] if check is not None and check.values else LEVELS[-1]
    return min(level, LEVELS_OF_KINDS.get(name, level), key=_rank_level)


def _rank_level(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else len(LEVELS)


def _compare_value(key: str, sides: _Sides) -> Iterator[Loosening]:
    older, newer = sides.read_values(key)
    if older == newer or not _is_looser(key, older, newer):
        return
    kind = KINDS.get(key.partition(".")[0], key.partition(".")[0])
    message = _describe_difference(key, older, newer)
    location = sides.find_line(key)
    is_certain = key != "postgres" or "auto" not in (*older, *newer)
    yield Loosening(kind, key, message, location, _show(older), _show(newer), is_certain)


def _is_looser(key: str, older: Sequence[str], newer: Sequence[str]) -> bool:
    if key in ORDERED_VALUES:
        return _rank_value(key, newer) < _rank_value(key, older)
    rule = _RULES.get(key)
    return rule is not None and rule(older, newer)


def _rank_value(key: str, values: Sequence[str]) -> int:
    """The place of a value among the known ones; an unknown one is taken for the strictest."""
    order = ORDERED_VALUES[key]
    return order.index(values[0]) if values and values[0] in order else len(order)


def _is_widened(older: Sequence[str], newer: Sequence[str]) -> bool:
    """Whether there is more in a list; a pattern with `!` takes something out of it."""
    added = [pattern for pattern in newer if not pattern.startswith("!")]
    exceptions = [pattern for pattern in older if pattern.startswith("!")]
    return bool(list_uncovered(added, older) or set(exceptions) - set(newer))


def _is_narrowed(older: Sequence[str], newer: Sequence[str]) -> bool:
    return bool(list_uncovered(older, newer))


def _is_replaced(older: Sequence[str], newer: Sequence[str]) -> bool:
    return bool(older) and tuple(older) != tuple(newer)


def _is_added(older: Sequence[str], newer: Sequence[str]) -> bool:
    """Whether there is something that was not there before."""
    return bool(set(newer) - set(older))


def _is_target_narrowed(older: Sequence[str], newer: Sequence[str]) -> bool:
    if "heads" in newer or (set(newer) <= STRICTEST_TARGET and set(older) <= STRICTEST_TARGET):
        return False
    return "heads" in older or bool(set(older) - set(newer)) or not older


def _has_fewer_snapshots(older: Sequence[str], newer: Sequence[str]) -> bool:
    return _rank_snapshots(newer) < _rank_snapshots(older)


def _rank_snapshots(values: Sequence[str]) -> float:
    """How many revisions get a catalog: none, a number, those of the change, all."""
    value = values[0] if values else "changed"
    if value.isdigit():
        return float(value)
    return {"none": 0.0, "changed": 1e8, "all": 1e9}.get(value, 1e8)


_RULES: Mapping[str, Callable[[Sequence[str], Sequence[str]], bool]] = {
    **dict.fromkeys(WIDENED_LISTS, _is_widened),
    **dict.fromkeys(NARROWED_LISTS, _is_narrowed),
    **dict.fromkeys(REPLACED_VALUES, _is_replaced),
    **dict.fromkeys(ADDED_VALUES, _is_added),
    SMALL_TABLES: _is_added,
    "target.revision": _is_target_narrowed,
    "snapshots": _has_fewer_snapshots,
}


def _describe_difference(key: str, older: Sequence[str], newer: Sequence[str]) -> str:
    """What differs, and of a list only that."""
    if key == SMALL_TABLES:
        tables = [item for item in newer if item not in older]
        verb = "is" if len(tables) == 1 else "are"
        return f"{join_words(tables[:MAX_SHOWN_ENTRIES])} {verb} small now: what is found there weighs less"
    if key in WIDENED_LISTS and (added := [item for item in newer if item not in older]):
        return f"`{key}` also has {join_words(added)}"
    if key in NARROWED_LISTS and (gone := [item for item in older if item not in newer]):
        return f"`{key}` no longer has {join_words(gone)}"
    return f"`{key}` went from {_show_quoted(older)} to {_show_quoted(newer)}"


def _show_quoted(values: Iterable[str]) -> str:
    return join_words(values) or "nothing"


def _show(values: Sequence[str]) -> str:
    return ", ".join(values) or "nothing"


def _covers_entry(old: AllowanceText, entry: AllowanceText) -> bool:
    """Whether all that an entry lets pass was let pass by an entry of the base."""
    names_check = old.check == entry.check or entry.check.startswith(f"{old.check}/")
    names_object = old.object == entry.object or (
        "[" not in entry.object and fnmatchcase(entry.object, old.object)
    )
    holds_as_long = not old.until or bool(entry.until and entry.until <= old.until)
    return names_check and names_object and holds_as_long


def _is_same_entry(old: AllowanceText, entry: AllowanceText) -> bool:
    return (old.check, old.object) == (entry.check, entry.object)


def _describe_until(entry: AllowanceText) -> str:
    return f"until {entry.until}" if entry.until else "for good"


def find_file_loosening(
    base: GateFiles, change: GateFiles, settings: Iterable[Loosening]
) -> Iterator[Loosening]:
    """A configuration file that is gone with settings that were stricter, and projects that are gone."""
    if base.configuration and not change.configuration and any(settings):
        message = f"`{base.configuration}` is gone: its settings no longer hold"
        yield Loosening("configuration", base.configuration, message, None, base.configuration, "no file")
    for name in base.projects:
        if name not in change.projects:
            location = Location(change.configuration) if change.configuration else None
            yield Loosening("project", f"projects.{name}", f"`projects.{name}` is gone", location)
