"""A class whose methods are made at their first use is the one that the standard library makes."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import InitVar, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import pytest

from migration_gate.worker import deferred_methods as lazy_dataclass

ROOT = Path(__file__).resolve().parents[1]
T = TypeVar("T")
OPTIONS: dict[str, dict[str, bool]] = {
    "frozen, slots": {"frozen": True, "slots": True},
    "frozen": {"frozen": True},
    "slots": {"slots": True},
    "none": {},
    "frozen, slots, without ==": {"frozen": True, "slots": True, "eq": False},
    "frozen, slots, named": {"frozen": True, "slots": True, "kw_only": True},
    "ordered": {"frozen": True, "order": True},
}


def build_classes(decorate: Callable[..., Any], options: dict[str, bool]) -> tuple[type, type]:
    """A class of each kind of field, and one that inherits from it."""

    @decorate(**options)
    class Part(Generic[T]):
        kinds: ClassVar[int] = 7
        name: str
        size: int = 3
        tags: list[str] = field(default_factory=list)
        hidden: str = field(default="h", repr=False, compare=False)
        made: str = field(default="", init=False)
        given: InitVar[str] = "g"  # type: ignore[assignment]

        def __post_init__(self, given: str) -> None:
            object.__setattr__(self, "made", f"{self.name}-{given}")

    @decorate(**options)
    class Whole(Part[int]):
        size: int = 5
        further: tuple[int, ...] = ()

    return Part, Whole


def build_plain_classes(decorate: Callable[..., Any], options: dict[str, bool]) -> tuple[type, type]:
    """Two classes whose fields are all their own, and given: one of them has a `__post_init__`."""

    @decorate(**options)
    class Plain(Generic[T]):
        kinds: ClassVar[int] = 7
        name: str
        size: int = 3
        tags: list[str] = field(default_factory=list)
        hidden: str = field(default="h", repr=False, compare=False)
        given: str | None = None
        made: str = field(default="m", init=False)
        parts: dict[str, int] = field(default_factory=dict, init=False)

    @decorate(**options)
    class Complete:
        name: str
        tags: tuple[str, ...] = ()
        given: str = "g"
        made: str = field(init=False)
        size: int = field(default=0, kw_only=True)

        def __post_init__(self) -> None:
            object.__setattr__(self, "made", f"{self.name}-{self.given}")

    return Plain, Complete


def describe_use(make: Callable[[], tuple[type, type]]) -> list[str]:
    """What one sees of the classes, each time in new ones: whatever comes first makes the methods."""
    seen = []
    for use in USES:
        part, whole = make()
        for cls in (part, whole):
            try:
                result = use(cls)
            except Exception as error:  # noqa: BLE001 - which may be what is right
                result = f"{type(error).__name__}: {error}"
            seen.append(str(result))
    return seen


def change(cls: Any) -> None:
    cls(name="a").name = "b"


def remove(cls: Any) -> None:
    del cls(name="a").name


def add(cls: Any) -> None:
    cls(name="a").unknown = 1


def list_parameters(cls: Any) -> list[tuple[str, str]]:
    """Names and kinds, once the method was made."""
    cls(name="a")
    return [(item.name, item.kind.name) for item in inspect.signature(cls).parameters.values()]


def match(cls: Any) -> object:
    match cls(name="a"):
        case cls(first, second):
            return first, second
    return None


USES: list[Callable[[Any], object]] = [
    lambda cls: cls("a"),
    lambda cls: cls(name="a", size=9, given="x").made,
    lambda cls: cls(),
    lambda cls: cls(name="a", unknown=1),
    lambda cls: cls(name="a") == cls(name="a"),
    lambda cls: cls(name="a") == cls(name="a", hidden="other"),
    lambda cls: cls(name="a") == cls(name="b"),
    lambda cls: cls(name="a") == "a",
    lambda cls: cls(name="a") < cls(name="b"),
    lambda cls: len({cls(name="a", tags=()), cls(name="a", tags=())}),
    lambda cls: cls.__hash__ is None,
    lambda cls: [item.name for item in dataclasses.fields(cls)],
    dataclasses.is_dataclass,
    lambda cls: dataclasses.replace(cls(name="a"), size=8, given="r"),
    lambda cls: dataclasses.asdict(cls(name="a")),
    lambda cls: cls(name="a").tags is cls(name="a").tags,
    lambda cls: (cls.kinds, cls(name="a").kinds),
    lambda cls: hasattr(cls(name="a"), "__dict__"),
    lambda cls: sorted(getattr(cls, "__slots__", ())),
    lambda cls: cls.__match_args__,
    list_parameters,
    lambda cls: cls("a", 1, 2, 3, 4, 5, 6, 7),
    lambda cls: cls("a", name="b"),
    lambda cls: cls(name="a").parts is cls(name="a").parts,
    lambda cls: cls(name="a", parts={}),
    lambda cls: (cls.__name__, cls.__qualname__.rpartition(".")[2], cls.__module__),
    change,
    remove,
    match,
]


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_it_is_what_the_standard_library_makes(options: dict[str, bool]) -> None:
    expected = describe_use(lambda: build_classes(dataclasses.dataclass, options))
    assert describe_use(lambda: build_classes(lazy_dataclass.dataclass, options)) == expected


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_so_it_is_where_all_fields_are_given(options: dict[str, bool]) -> None:
    expected = describe_use(lambda: build_plain_classes(dataclasses.dataclass, options))
    assert describe_use(lambda: build_plain_classes(lazy_dataclass.dataclass, options)) == expected


@pytest.mark.parametrize("options", [OPTIONS["frozen, slots"], OPTIONS["frozen"], OPTIONS["slots"]])
def test_there_is_no_other_attribute(options: dict[str, bool]) -> None:
    part, _ = build_classes(lazy_dataclass.dataclass, options)
    with pytest.raises((AttributeError, TypeError)):
        add(part)


def test_what_a_class_defines_itself_stays() -> None:
    @lazy_dataclass.dataclass(frozen=True, slots=True)
    class Named:
        name: str

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Named) and other.name.lower() == self.name.lower()

        def __hash__(self) -> int:
            return hash(self.name.lower())

        def __repr__(self) -> str:
            return f"<{self.name}>"

    assert {Named("A"), Named("a")} == {Named("A")}
    assert repr(Named("A")) == "<A>"


@lazy_dataclass.dataclass(frozen=True, slots=True)
class Kept:
    """Known to pickle by its name."""

    name: str
    size: int = 0


def test_another_process_may_have_made_it() -> None:
    data = pickle.dumps((Kept("a"), Kept("b", 2)))
    code = (
        "import pickle, sys; from tests.test_lazy_dataclass import Kept\n"
        "first, second = pickle.load(sys.stdin.buffer)\n"
        "assert first == Kept('a') and hash(second) == hash(Kept('b', 2)) and repr(first) != repr(second)\n"
    )
    for line in ("", "Kept('made before')\n"):
        program = code.replace("first, second", f"{line}first, second", 1)
        subprocess.run([sys.executable, "-c", program], input=data, check=True, cwd=ROOT)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_threads_make_it_once(options: dict[str, bool], monkeypatch: pytest.MonkeyPatch) -> None:
    make = dataclasses.dataclass

    def make_slowly(*template: Any, **options: bool) -> Any:
        time.sleep(0.01)  # (any other thread runs)
        return make(*template, **options)

    monkeypatch.setattr(dataclasses, "dataclass", make_slowly)
    for _ in range(5):
        part, whole = build_classes(lazy_dataclass.dataclass, options)
        results: list[str] = []
        begin = threading.Barrier(8)

        def use(cls: type, results: list[str] = results, begin: threading.Barrier = begin) -> None:
            begin.wait()
            results.append(repr(cls(name="a")))

        threads = [threading.Thread(target=use, args=(cls,)) for cls in (part, whole) * 4]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(results) == 8
        assert len(set(results)) == 2


def test_a_process_forked_meanwhile_makes_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    made, other = (build_classes(lazy_dataclass.dataclass, {"frozen": True})[0] for _ in range(2))
    make, begun, forked = dataclasses.dataclass, threading.Event(), threading.Event()

    def make_slowly(*template: Any, **options: bool) -> Any:
        begun.set()
        forked.wait(0.2)  # (the fork waits for it)
        return make(*template, **options)

    with monkeypatch.context() as patched:
        patched.setattr(dataclasses, "dataclass", make_slowly)
        thread = threading.Thread(target=made, args=("a",))
        thread.start()
        begun.wait()
        child = os.fork()
        if not child:
            signal.alarm(5)
            os._exit(other("b").name != "b")
        forked.set()
        thread.join()
    assert os.waitpid(child, 0)[1] == 0


def test_every_class_of_the_gate_can_be_made() -> None:
    """A fault in one of them, as a default that is a list, would show at its first use only."""
    folder = ROOT / "migration_gate"
    used = re.compile(r"^from migration_gate\.\S+ import dataclass$", re.MULTILINE)
    files = [file for file in folder.rglob("*.py") if used.search(file.read_text("utf-8"))]
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files]
    classes = [item for name in names for item in vars(importlib.import_module(name)).values()]
    made = [dataclasses.fields(item) for item in classes if dataclasses.is_dataclass(item)]
    assert len(made) > len(files)


def test_the_gate_uses_it_everywhere_but_where_it_runs_alone() -> None:
    alone = ("sandbox", "postgres", "process")
    folder = ROOT / "migration_gate"
    files = [file for file in folder.rglob("*.py") if file.relative_to(folder).parts[0] not in alone]
    imported = re.compile(r"^from dataclasses import [^\n]*\bdataclass\b", re.MULTILINE)
    wrong = [str(file) for file in files if imported.search(file.read_text("utf-8"))]
    assert wrong == []


def test_only_what_is_used_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[list[str]] = []
    dataclass = dataclasses.dataclass

    def note_parts(**options: bool) -> Callable[[type], type]:
        made.append([name for name in ("init", "repr", "eq") if options[name]])
        return dataclass(**options)

    part, _ = build_classes(lazy_dataclass.dataclass, OPTIONS["frozen, slots"])
    monkeypatch.setattr(dataclasses, "dataclass", note_parts)
    first, second = part(name="a", tags=()), part(name="a", tags=())
    assert made == [["init"]]
    assert hash(first) == hash(second)
    assert first == second
    assert made == [["init"], ["eq"]]
    assert repr(first) == repr(second)
    assert made == [["init"], ["eq"], ["repr"]]
    parameters = part.__dataclass_params__  # type: ignore[attr-defined]
    assert (parameters.init, parameters.repr, parameters.eq, parameters.frozen) == (True, True, True, True)
