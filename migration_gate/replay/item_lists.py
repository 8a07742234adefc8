"""Lists that a session logs at its points: each whole, or as what is new and gone since an earlier one.

A revision may have ten thousand statements and hold ten thousand locks, so no list is kept for each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar, cast

from migration_gate.replay.observation_log import LoggedLocks, LoggedNumbers

ItemT = TypeVar("ItemT", bound=tuple[object, ...])


class ItemChanges(NamedTuple, Generic[ItemT]):
    """What is in one list and not in another."""

    added: Sequence[ItemT]
    gone: Sequence[ItemT]


class ItemList(Generic[ItemT]):
    """A list at one point; never changed."""

    __slots__ = ("_changes", "_earlier", "_items")

    def __init__(
        self,
        items: Sequence[ItemT] = (),
        *,
        gone: Sequence[ItemT] = (),
        earlier: ItemList[ItemT] | None = None,
    ) -> None:
        """All items; or, with an `earlier` list, those that are new since then, and those that are `gone`."""
        self._items = items
        self._earlier = earlier
        self._changes = ItemChanges(items, gone)

    def expand(self) -> dict[ItemT, None]:
        """All items, in their order."""
        later: list[ItemList[ItemT]] = []
        whole = self
        while whole._earlier is not None:
            later.append(whole)
            whole = whole._earlier
        items = dict.fromkeys(whole._items)
        for changed in reversed(later):
            for item in changed._changes.gone:
                items.pop(item, None)
            items.update(dict.fromkeys(changed._changes.added))
        return items

    def find_changes(self, earlier: ItemList[ItemT]) -> ItemChanges[ItemT]:
        """What has become of an earlier list of the session."""
        if earlier is self:
            return ItemChanges((), ())
        if earlier is self._earlier:
            return self._changes
        new, old = self.expand(), earlier.expand()
        return ItemChanges(
            [item for item in new if item not in old], [item for item in old if item not in new]
        )


class ListHistory(Generic[ItemT]):
    """The lists that a session has logged under one name."""

    def __init__(self) -> None:
        self._lists: dict[str, ItemList[ItemT]] = {}
        """by their digests"""
        self.newest: ItemList[ItemT] = ItemList()

    def read(self, logged: LoggedLocks | LoggedNumbers | None) -> ItemList[ItemT]:
        """The list that an entry of the log means; the newest one if it was not read, or is not there."""
        if logged is None:
            return self.newest
        if logged.items is not None:
            items, gone = cast("Sequence[ItemT]", logged.items), cast("Sequence[ItemT]", logged.gone)
            earlier = self._lists.get(logged.since) if logged.since else None
            if earlier is not None:
                items = sorted(items, key=lambda item: str(item[:2]))
            self._lists[logged.digest] = ItemList(items, gone=gone, earlier=earlier)
        self.newest = self._lists.get(logged.digest, self.newest)
        return self.newest
