"""`dataclass` as in the standard library, for a class whose methods are made when it is first used.

The standard library writes and compiles up to six functions for a class while its module is imported. For the
classes of the gate that is half of the time that it takes to load, and one run uses a few of them.
"""

from __future__ import annotations

import dataclasses
import inspect
import os
import threading
from collections.abc import Callable, Sequence
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - what type checkers know
else:

    def dataclass(template=None, /, **options):
        """The class, or a decorator for it. `options` are those of the standard library's."""
        if template is None:
            return lambda template: dataclass(template, **options)
        if options.keys() - DEFERRED_OPTIONS:
            return dataclasses.dataclass(template, **options)
        return defer(template, **options)


DEFERRED_OPTIONS = frozenset({"frozen", "slots", "eq", "kw_only"})
PARTS = {
    "init": ("__init__", "__match_args__", "__dataclass_fields__", "__dataclass_params__"),
    "repr": ("__repr__",),
    "eq": ("__eq__", "__hash__"),
}
"""what the standard library adds to a class, by the option for it: most classes are never printed"""
IMPLIED = ("__dict__", "__weakref__")
"""attributes that Python gives to a class by itself"""
_making = threading.RLock()
# A fork does not have the thread that holds the lock, and would wait for it for ever.
os.register_at_fork(before=_making.acquire, after_in_parent=_making.release, after_in_child=_making.release)


def defer(template: type, *, frozen: bool = False, slots: bool = False, **options: bool) -> type:
    """The class, whose methods are made at the first use of one of them. Options as in the standard library.

    `template` is the class as it is written; with `slots` the result is another one.
    """
    made = add_slots(template, frozen=frozen) if slots else template
    _Methods(template, made, {**options, "frozen": frozen}).await_use()
    return made


class _Methods:
    """What the standard library makes of one class, until it is made."""

    def __init__(self, template: type, made: type, options: dict[str, bool]) -> None:
        self.template = template
        self.made = made
        self.options = options
        self.attributes = {name: value for name, value in template.__dict__.items() if name not in IMPLIED}
        self.attributes["__qualname__"] = template.__qualname__
        self.awaited_parts: set[str] = set()

    def await_use(self) -> None:
        """Put something in the place of each method that makes it."""
        own = self.attributes
        has_eq, is_frozen = self.options.get("eq", True), self.options["frozen"]
        names = ["__init__", "__repr__"]
        if has_eq:
            names += ["__eq__"]
            if is_frozen:
                names += ["__hash__"]
            elif "__hash__" not in own:
                self.made.__hash__ = None  # type: ignore[assignment]
        for part, part_names in PARTS.items():
            for name in part_names:
                if name in names and name not in own:
                    setattr(self.made, name, self._awaiting_method(part, name))
        for name in ("__match_args__", "__dataclass_fields__"):
            if name not in own:
                setattr(self.made, name, _AwaitedAttribute(self, name))
        if is_frozen:
            forbid_changes(self.made)
        self.awaited_parts = {"init", "repr", *(("eq",) if has_eq else ())}

    def make(self, part: str) -> None:
        """Make a part of them, once. What awaits it stays until then: another thread may use the class."""
        with _making:
            if part not in self.awaited_parts:
                return
            twin = type(self.template)(self.template.__name__, self.template.__bases__, dict(self.attributes))
            options = {**self.options, **{name: name == part for name in PARTS}}
            if part == "init" and self._has_plain_fields():
                # To write and compile three functions takes the standard library three times as long.
                dataclasses.dataclass(**{**options, "init": False, "frozen": False})(twin)
                if "__init__" not in self.attributes:
                    fields = dataclasses.fields(twin)
                    init = make_init(self.made, fields, is_frozen=self.options["frozen"])
                    type.__setattr__(twin, "__init__", init)
            else:
                dataclasses.dataclass(**options)(twin)
            for name in PARTS[part]:
                if name in twin.__dict__:
                    type.__setattr__(self.made, name, twin.__dict__[name])
            if part == "init":
                self._describe_all_parts()
            self.awaited_parts.discard(part)

    def _has_plain_fields(self) -> bool:
        """Whether all fields are the class's own, and each is given to its instances."""
        # (Python 3.9 has no `inspect.get_annotations`; these are texts, which every version has in the class)
        kinds = self.attributes.get("__annotations__", {}).values()
        return all(map(is_plain, kinds)) and not any(map(dataclasses.is_dataclass, self.template.__mro__[1:]))

    def _describe_all_parts(self) -> None:
        """Have the class say of itself that it has all parts."""
        parameters = self.made.__dataclass_params__  # type: ignore[attr-defined]
        for name in PARTS:
            setattr(parameters, name, self.options.get(name, True))
        parameters.frozen = self.options["frozen"]

    def _awaiting_method(self, part: str, name: str) -> Callable[..., Any]:
        def use(instance: object, *values: Any, **named_values: Any) -> Any:
            self.make(part)
            return getattr(self.made, name)(instance, *values, **named_values)

        return use


class _AwaitedAttribute:
    """An attribute of a class that is made at its first use."""

    def __init__(self, methods: _Methods, name: str) -> None:
        self._methods = methods
        self._name = name

    def __get__(self, instance: object, owner: type) -> Any:
        self._methods.make("init")
        return getattr(self._methods.made, self._name)


def make_init(
    made: type, fields: Sequence[dataclasses.Field[Any]], *, is_frozen: bool
) -> Callable[..., None]:
    """The `__init__` of a class whose fields are all its own. `is_frozen`: they cannot be assigned to."""
    names: dict[str, Any] = {"MISSING": dataclasses.MISSING, "set_attribute": object.__setattr__}
    positional, named, lines = ["self"], [], []  # type: list[str], list[str], list[str]
    for field in fields:
        name, default = field.name, "default_%s" % field.name
        has_factory = field.default_factory is not dataclasses.MISSING
        has_default = has_factory or field.default is not dataclasses.MISSING
        names[default] = field.default_factory if has_factory else field.default
        if field.init:
            optional = "=%s" % ("MISSING" if has_factory else default) if has_default else ""
            (named if getattr(field, "kw_only", False) else positional).append(name + optional)
            value = "%s() if %s is MISSING else %s" % (default, name, name) if has_factory else name
        elif has_default:
            value = default + ("()" if has_factory else "")
        else:
            continue  # whoever makes it gives it later
        member = made.__dict__.get(name)
        if not is_frozen:
            lines.append("self.%s = %s" % (name, value))
        elif isinstance(member, MemberDescriptorType):
            names["set_" + name] = member.__set__
            lines.append("set_%s(self, %s)" % (name, value))
        else:
            lines.append("set_attribute(self, %r, %s)" % (name, value))
    if hasattr(made, "__post_init__"):
        lines.append("self.__post_init__()")
    parameters = ", ".join([*positional, *(["*", *named] if named else [])])
    exec("def __init__(%s):\n    %s" % (parameters, "\n    ".join(lines or ["pass"])), names)  # noqa: S102
    made_init: Callable[..., None] = names["__init__"]
    made_init.__qualname__ = "%s.__init__" % made.__qualname__
    return made_init


def forbid_changes(made: type) -> None:
    """Have no field changed or deleted, in the words of the standard library."""

    def set_attribute(instance: object, name: str, value: object) -> None:
        if type(instance) is made or name in made.__dataclass_fields__:  # type: ignore[attr-defined]
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        super(made, instance).__setattr__(name, value)  # type: ignore[arg-type]

    def delete_attribute(instance: object, name: str) -> None:
        if type(instance) is made or name in made.__dataclass_fields__:  # type: ignore[attr-defined]
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
        super(made, instance).__delattr__(name)  # type: ignore[arg-type]

    made.__setattr__ = set_attribute  # type: ignore[assignment,method-assign]
    made.__delattr__ = delete_attribute  # type: ignore[assignment,method-assign]


def add_slots(template: type, *, frozen: bool) -> type:
    """The class with slots for its fields, and without their defaults, which the template keeps."""
    attributes = dict(template.__dict__)
    names = tuple(name for name, kind in inspect.get_annotations(template).items() if is_field(kind))
    inherited = {name for base in template.__mro__[1:] for name in base.__dict__.get("__slots__", ())}
    for name in (*names, *IMPLIED):
        attributes.pop(name, None)
    attributes["__slots__"] = tuple(name for name in names if name not in inherited)
    if frozen:
        attributes.setdefault("__getstate__", get_state)
        attributes.setdefault("__setstate__", set_state)
    made = type(template)(template.__name__, template.__bases__, attributes)
    made.__qualname__ = template.__qualname__
    return made


def is_field(annotation: object) -> bool:
    """Whether a class's annotation, as it is written, is one of a field with a value."""
    return not str(annotation).startswith(("ClassVar", "typing.ClassVar", "InitVar", "dataclasses.InitVar"))


def is_plain(annotation: object) -> bool:
    """Whether it is that of a field, or of a class variable: nothing that `__init__` takes and forgets."""
    return not str(annotation).startswith(("InitVar", "dataclasses.InitVar"))


def get_state(instance: Any) -> list[Any]:
    """What pickle keeps."""
    return [getattr(instance, name) for name in _list_field_names(type(instance))]


def set_state(instance: Any, state: list[Any]) -> None:
    """What pickle gives back."""
    for name, value in zip(_list_field_names(type(instance)), state):  # noqa: B905 - of an older Python
        object.__setattr__(instance, name, value)


_field_names: dict[type, tuple[str, ...]] = {}


def _list_field_names(made: type) -> tuple[str, ...]:
    """Found once for a class: facts are pickled by the thousand."""
    names = _field_names.get(made)
    if names is None:
        names = _field_names[made] = tuple(field.name for field in dataclasses.fields(made))
    return names
