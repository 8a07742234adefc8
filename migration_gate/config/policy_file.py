"""The policy that a configuration extends: its values are defaults, and some of them a floor.

Below the floor nothing may go, whoever sets it: levels of checks, `fail_on`, `scope`, `policy`, the columns
and tables of `owners`, `forbid_allow`. Allowances of the policy and of the project hold both.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from migration_gate.config.checkout_paths import require_shared
from migration_gate.config.config_file import ConfigFile, read_toml
from migration_gate.config.config_keys import Key, format_key
from migration_gate.config.faults import ConfigFault, ListChecks, combine_faults
from migration_gate.config.policy_fetch import fetch_policy
from migration_gate.config.policy_reference import PolicyReference, parse_reference
from migration_gate.config.precedence import Layer, SettingValue, list_set_leaves, validate_keys
from migration_gate.config.schema import FileKeys
from migration_gate.errors import Misconfigured
from migration_gate.lazy_dataclass import dataclass

POLICY_KEYS = frozenset({
    "checks", "allow", "forbid_allow", "fail_on", "scope", "policy", "owners", "raw_sql", "snapshots",
    "rollback", "observe", "small_table",
    "limits", "network", "postgres",
})  # fmt: skip
"""what a policy may set: nothing that names a file or a place of the project's"""
ORDERS: Mapping[str, tuple[str, ...]] = {
    "checks": ("off", "note", "warning", "error"),
    "fail_on": ("error", "warning"),
    "scope": ("change", "all"),
    "policy": ("change", "base"),
}
"""keys whose value may only go up, the lowest first"""
COMPLETE_LISTS: tuple[Key, ...] = (("owners", "columns"), ("owners", "tables"), ("forbid_allow",))
"""lists that may only get more"""
Merged = dict[Key, SettingValue]


@dataclass(frozen=True, slots=True)
class Policy:
    """The layer below the configuration file; none without `extends`."""

    layers: tuple[Layer, ...] = ()
    note: str = ""
    """for the report"""

    def hold_floor(self, merged: Merged) -> Merged:
        """The merged values with the allowances of both. Raises Misconfigured if one is below the floor."""
        if not self.layers:
            return merged
        values = dict(_list_set_values(self.layers[0]))
        faults = list(_find_faults(values, merged))
        if faults:
            raise combine_faults(faults)
        return {**merged, ("allow",): _join_allow(values.get(("allow",)), merged["allow",])}


def read_policy(config_file: ConfigFile, keys: FileKeys, list_checks: ListChecks | None) -> Policy:
    """What the file extends. Raises Misconfigured if that is not to be had, or is no policy."""
    if keys.extends is None:
        return Policy()
    where = config_file.line_of(("extends",))
    reference = parse_reference(keys.extends, where)
    if reference is None:
        policy_file, note = _read_local(config_file, keys.extends, where), ""
    else:
        policy_file, note = _read_fetched(reference, where)
    policy_keys = validate_keys(FileKeys, policy_file.values, policy_file.line_of, list_checks)
    for name in sorted(policy_keys.model_fields_set - POLICY_KEYS):
        raise Misconfigured(
            f"A policy does not set `{name}`.",
            where=policy_file.line_of((name,)),
            advice=f"It sets {', '.join(sorted(POLICY_KEYS))}; the rest belongs to each project.",
        )
    return Policy((Layer(policy_keys, policy_file.folder, policy_file.line_of),), note)


def _read_local(config_file: ConfigFile, text: str, where: str) -> ConfigFile:
    file = config_file.folder / Path(text).expanduser()
    if not file.is_file():
        raise Misconfigured(
            f"`extends` names the file `{text}`, which does not exist.",
            where=where,
            advice=f"Relative paths start at `{config_file.folder}`.",
        )
    require_shared(SettingValue(text, config_file.folder, lambda _: where, ("extends",)), file, "extends")
    return _read_file(file, text, where)


def _read_fetched(reference: PolicyReference, where: str) -> tuple[ConfigFile, str]:
    fetched = fetch_policy(reference, where, _find_folder())
    name = f"{reference.url}@{fetched.commit[:12]}#{reference.path}"
    with tempfile.TemporaryDirectory(prefix="migration-gate-policy-") as folder:
        file = Path(folder) / f"policy{Path(reference.path).suffix}"
        file.write_text(fetched.text, encoding="utf-8")
        return _read_file(file, name, where), fetched.note


def _find_folder() -> Path:
    """Never a folder of the repository: a change could put its own policy there."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ.get("HOME", "/nonexistent"), ".cache")  # noqa: PTH118
    return Path(cache) / "migration-gate" / "policies"


def _read_file(file: Path, name: str, where: str) -> ConfigFile:
    if file.suffix != ".toml":
        from migration_gate.config.yaml_file import read_yaml  # noqa: PLC0415 - few projects have a policy

        return read_yaml(file, name)
    table = read_toml(file, name)
    if table is None:
        raise Misconfigured(f"`{name}` has no `[tool.migration-gate]` table.", where=where, advice="Add it.")
    return table


def _list_set_values(layer: Layer) -> Iterator[tuple[Key, SettingValue]]:
    for key, value in list_set_leaves(layer.keys):
        yield key, SettingValue(value, layer.folder, layer.find_origin, key)


def _find_faults(values: Merged, merged: Merged) -> Iterator[ConfigFault]:
    """Everything that is below the floor, with where it is set."""
    for key, value in merged.items():
        floor = _find_floor(values, key)
        if floor is None or value.where == floor.where:
            continue
        problem = _compare(key, floor.value, value.value)
        if problem:
            yield ConfigFault(
                f"`{format_key(key)}` {problem}, and the policy ({floor.where}) forbids that.",
                value.where,
                "Take it back, or have the policy changed.",
            )


def _find_floor(values: Merged, key: Key) -> SettingValue | None:
    """The value of the policy; for a kind of a check, that of the check."""
    if key[0] == "checks":
        return values.get(key) or values.get(("checks", str(key[1]).partition("/")[0]))
    is_floor = str(key[0]) in ORDERS or key in COMPLETE_LISTS
    return values.get(key) if is_floor else None


def _compare(key: Key, floor: object, value: object) -> str:
    """How a value is below the floor; '' if it is not."""
    if key in COMPLETE_LISTS:
        missing = [str(item) for item in _as_tuple(floor) if item not in _as_tuple(value)]
        return f"lacks {', '.join(f'`{item}`' for item in missing)}" if missing else ""
    order = ORDERS[str(key[0])]
    is_lower = order.index(str(value)) < order.index(str(floor))
    return f"is `{value}`, lower than `{floor}`" if is_lower else ""


def _as_tuple(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else ()


def _join_allow(policy: SettingValue | None, own: SettingValue) -> SettingValue:
    """The entries of the policy, then those of the project."""
    if policy is None or policy.where == own.where:
        return own
    number_of_first = len(policy.value)

    def find_origin(key: Key) -> str:
        number = key[1] if len(key) > 1 else None
        if isinstance(number, int) and number >= number_of_first:
            return own.find_origin((key[0], number - number_of_first, *key[2:]))
        return policy.find_origin(key) if number is not None else own.find_origin(key)

    return SettingValue((*policy.value, *own.value), own.folder, find_origin, ("allow",))
