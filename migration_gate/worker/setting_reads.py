"""Remembers which settings the project asked for and did not get: variables, `-x` arguments, attributes.

Nothing is answered otherwise than without it: what is missing stays missing.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Iterator, Literal, Optional

from .deferred_methods import dataclass
from .listener_guard import ListenerGuard

OBSERVATION = "the record of the settings that the project asks for"
ReadKind = Literal["variable", "x", "attribute", "config"]
"""attribute: a key of `config.attributes`; config: an attribute of the configuration itself"""
FORWARDING_MODULES = ("os", "_collections_abc", "collections.abc", "collections")
"""of `os.getenv` and of the methods of a mapping: who called them is who asked"""
MAX_CALLERS = 12
"""frames above the one that asked: a helper of the project's may do so for its caller"""


@dataclass(frozen=True)
class Caller:
    """A place from which a setting was read."""

    file: str
    line: int


@dataclass(frozen=True)
class SettingRead:
    """A setting that was asked for."""

    kind: ReadKind
    name: str
    callers: tuple[Caller, ...]
    """innermost first"""
    default: Optional[str] = None
    """what the project's code takes instead"""
    is_existence_check: bool = False
    """`"NAME" in os.environ`"""


class SettingReads:
    """What was asked for in vain, and where what was supplied for this run was asked for."""

    def __init__(self, guard: ListenerGuard) -> None:
        self._guard = guard
        self.reads: list[SettingRead] = []
        self.supplied: set[str] = set()
        """variables that this run was given"""
        self.defaults: dict[str, str] = {}
        """variables that a settings class would read, with the value that it has without them"""

    def install(self) -> None:
        """Watch `os.environ`, which is one object for the whole process."""
        reads = self
        environ_class: Any = type(os.environ)
        real_getitem = environ_class.__getitem__

        def watched_getitem(environ: Any, key: Any) -> Any:
            try:
                value = real_getitem(environ, key)
            except KeyError:
                reads.note_variable(key, sys._getframe(1))
                raise
            if key in reads.supplied:
                reads.note_variable(key, sys._getframe(1))
            return value

        environ_class.__getitem__ = watched_getitem

    def note_variable(self, name: Any, frame: Any) -> None:
        """Note that the code of this frame, or of its callers, asked for a variable."""
        if isinstance(name, str):
            with self._guard.observing(OBSERVATION):
                self._note_variable(name, frame)

    def _note_variable(self, name: str, frame: Any) -> None:
        default: Optional[str] = None
        is_existence_check = False
        while frame is not None and frame.f_globals.get("__name__") in FORWARDING_MODULES:
            given = frame.f_locals.get("default")
            default = str(given) if given is not None else default
            is_existence_check = is_existence_check or frame.f_code.co_name == "__contains__"
            frame = frame.f_back
        if frame is not None and frame.f_globals.get("__package__") == __package__:
            return  # the worker's own look
        callers = tuple(_list_callers(frame))
        self.reads.append(SettingRead("variable", name, callers, default, is_existence_check))

    def note_missing(self, kind: ReadKind, name: str) -> None:
        """Note that an `-x` argument or an attribute of the configuration was asked for in vain."""
        with self._guard.observing(OBSERVATION):
            self.reads.append(SettingRead(kind, name, tuple(_list_callers(sys._getframe(2)))))

    def missing_variables(self) -> dict[str, SettingRead]:
        """Variables that were asked for in vain, by name; the read without a default counts most."""
        missing: dict[str, SettingRead] = {}
        for read in self.reads:
            if read.kind != "variable" or read.name in os.environ:
                continue
            earlier = missing.get(read.name)
            if earlier is None or _urgency(read) > _urgency(earlier):
                missing[read.name] = read
        return missing

    def names(self, kind: ReadKind) -> tuple[str, ...]:
        """Names of this kind, in the order in which they were asked for."""
        return tuple(dict.fromkeys(read.name for read in self.reads if read.kind == kind))


def _urgency(read: SettingRead) -> int:
    return (read.default is None) * 2 + (not read.is_existence_check)


def _list_callers(frame: Any) -> Iterator[Caller]:
    for _ in range(MAX_CALLERS):
        if frame is None:
            return
        yield Caller(os.path.abspath(frame.f_code.co_filename), frame.f_lineno)
        frame = frame.f_back


def watch_own_attributes(config: Any, reads: SettingReads) -> None:
    """Note which attributes an object is asked for that it does not have."""
    class_ = type(config)
    if hasattr(class_, "__getattr__"):
        return

    def note_attribute(self: Any, name: str) -> Any:
        if not name.startswith("_"):
            reads.note_missing("config", name)
        raise AttributeError("%r object has no attribute %r" % (class_.__name__, name))

    config.__class__ = type(class_.__name__, (class_,), {"__getattr__": note_attribute})


class WatchedDict(dict[Any, Any]):
    """A dict that notes which names were asked for in vain."""

    def __init__(self, values: Any, kind: ReadKind, reads: SettingReads) -> None:
        super().__init__(values)
        self._kind = kind
        self._reads = reads

    def __missing__(self, name: Any) -> Any:
        self._reads.note_missing(self._kind, str(name))
        raise KeyError(name)

    def get(self, name: Any, default: Any = None) -> Any:
        """As a dict does."""
        if name not in self:
            self._reads.note_missing(self._kind, str(name))
        return super().get(name, default)


class WatchedList(list[Any]):
    """The list of `-x` arguments, which notes that one was asked for by its place."""

    def __init__(self, values: Any, reads: SettingReads) -> None:
        super().__init__(values)
        self._reads = reads

    def __getitem__(self, index: Any) -> Any:
        try:
            return super().__getitem__(index)
        except IndexError:
            self._reads.note_missing("x", str(index))
            raise
