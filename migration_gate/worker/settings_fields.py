"""Watches pydantic's settings classes, and gives required fields that have no value one that is accepted.

Only if the project failed for the want of one: in the first run the class fails as it does elsewhere.
"""

from __future__ import annotations

import enum
from typing import Any, Iterator, Mapping, Optional

from .field_values import list_candidates
from .import_hooks import ImportHooks
from .listener_guard import ListenerGuard
from .named_variables import mentions
from .placeholders import OTHER_DATABASES, is_database_setting
from .pydantic_fields import find_field_type, find_variable_name, lacks_value, list_fields
from .setting_reads import OBSERVATION, SettingReads

MAX_ATTEMPTS = 60
"""of one settings object: each may show another value that is refused"""
MISSING = ("missing", "value_error.missing")


class SettingsFields:
    """Stands between pydantic's settings classes and the project."""

    def __init__(self, reads: SettingReads, guard: ListenerGuard) -> None:
        self._reads = reads
        self._guard = guard
        self.is_filling = False
        self.refusals: list[BaseException] = []
        """errors for the want of a field"""
        self.supplied: dict[str, str] = {}
        """variables that would have given the filled fields a value, and values for them"""
        self.refused: list[str] = []
        """variables of fields that accepted no value that was tried"""

    def install(self, imports: ImportHooks) -> None:
        """Watch both generations of settings classes, once they are imported."""
        imports.add("pydantic_settings.main", self._patch_module)
        imports.add("pydantic.env_settings", self._patch_module)  # before pydantic 2

    def _patch_module(self, module: Any) -> None:
        settings_class = module.BaseSettings
        real_init = settings_class.__init__

        def initialise(instance: Any, **values: Any) -> None:
            self._initialise(real_init, instance, values)

        settings_class.__init__ = initialise

    def _initialise(self, real_init: Any, instance: Any, values: dict[str, Any]) -> None:
        filling = FieldFilling(type(instance), values)
        for _ in range(MAX_ATTEMPTS):
            try:
                real_init(instance, **filling.values)
            except ValueError as error:  # pydantic.ValidationError is one, in every version
                if not self.is_filling or not self._guard.wrap(OBSERVATION, filling.fill_refused)(error):
                    self.refusals.append(error)
                    with self._guard.observing(OBSERVATION):
                        self._remember_refused(type(instance), filling, error)
                    raise
            else:
                with self._guard.observing(OBSERVATION):
                    self._remember_filled(instance, filling)
                return
        real_init(instance, **filling.values)

    def _remember_refused(self, settings_class: Any, filling: FieldFilling, error: Any) -> None:
        refused = {path for refusal in error.errors() for path in filling.list_paths(refusal)}
        for path, value in filling.filled.items():
            name = find_variable_name(settings_class, path)
            if path in refused:
                self.refused.append(name)
            else:
                self.supplied[name] = _as_variable(value)

    def _remember_filled(self, instance: Any, filling: FieldFilling) -> None:
        settings_class = type(instance)
        for path, value in filling.filled.items():
            self.supplied[find_variable_name(settings_class, path)] = _as_variable(value)
        for name in list_fields(settings_class):
            value = getattr(instance, name, None)
            if value is not None and str(value).startswith(OTHER_DATABASES):
                self._reads.defaults[find_variable_name(settings_class, (name,))] = str(value)


class FieldFilling:
    """The values that one settings object is made of, and what was tried for each field."""

    def __init__(self, settings_class: Any, values: Mapping[str, Any]) -> None:
        self.values = dict(values)
        self.filled: dict[tuple[str, ...], Any] = {}
        """by the path of the field"""
        self._given = frozenset(values)
        self._class = settings_class
        self._tried: dict[tuple[str, ...], list[Any]] = {}

    def fill_refused(self, error: Any) -> bool:
        """Fill what was missing, and replace what was refused; False if that cannot be done."""
        has_changed = False
        for refusal in error.errors():
            for path in list(self.list_paths(refusal)) or self._list_of_database(refusal):
                has_changed = self._fill_field(path, refusal) or has_changed
        return has_changed

    def list_paths(self, refusal: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
        """The fields that a refusal is about."""
        path = tuple(str(part) for part in refusal["loc"] if part != "__root__")
        if not path:
            yield from self._list_mentioned(str(refusal.get("msg")))
            return
        if refusal["type"] in MISSING:
            yield path
            return
        # A value inside of one that was filled in: a field of its model gets another value, else all of it.
        filled = self._find_filled(path)
        if filled is not None:
            yield path if _has_path(self.values, path) else filled

    def _find_filled(self, path: tuple[str, ...]) -> Optional[tuple[str, ...]]:
        """The field that was filled in, and is this one or holds it."""
        return next((known for known in self.filled if path[: len(known)] == known), None)

    def _list_mentioned(self, message: str) -> Iterator[tuple[str, ...]]:
        """The fields that a validator of the whole class names, itself or by their variables.

        Those without a value come first: a default that is named with them may well do.
        """
        fields = list_fields(self._class)
        variables = {
            name: find_variable_name(self._class, (name,)) for name in fields if name not in self._given
        }
        named = [
            name
            for name, variable in variables.items()
            if mentions(message, name) or mentions(message, variable)
        ]
        lacking = [name for name in named if lacks_value(fields[name]) and (name,) not in self._tried]
        yield from ((name,) for name in lacking or named)

    def _list_of_database(self, refusal: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
        """The fields of a database without a value: what a validator of the whole class may want."""
        if refusal["loc"] and tuple(refusal["loc"]) != ("__root__",):
            return
        for name, field in list_fields(self._class).items():
            if name not in self._given and is_database_setting(name) and lacks_value(field):
                yield (name,)

    def _fill_field(self, path: tuple[str, ...], refusal: Mapping[str, Any]) -> bool:
        tried = self._tried.setdefault(path, [])
        for value in list_candidates(find_field_type(self._class, path), path[-1], refusal, tried):
            if not any(value == earlier and type(value) is type(earlier) for earlier in tried):
                tried.append(value)
                _set_path(self.values, path, value)
                whole = self._find_filled(path) or path
                self.filled[whole] = _get_path(self.values, whole)
                return True
        return False


def _set_path(values: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        inner = values.get(name)
        values[name] = inner = dict(inner) if isinstance(inner, Mapping) else {}
        values = inner
    values[path[-1]] = value


def _get_path(values: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        values = values[name]
    return values


def _has_path(values: Any, path: tuple[str, ...]) -> bool:
    for name in path:
        if not isinstance(values, Mapping) or name not in values:
            return False
        values = values[name]
    return True


def _as_variable(value: Any) -> str:
    if isinstance(value, (dict, list)):
        import json

        return json.dumps(value)
    return str(value.value if isinstance(value, enum.Enum) else value)
