"""Calls a function with a module as soon as the project has imported it, so that it can be patched."""

from __future__ import annotations

import importlib.abc
import sys
from typing import Any, Callable, Optional

from .listener_guard import ListenerGuard


class ImportHooks(importlib.abc.MetaPathFinder):
    """A finder for `sys.meta_path` that asks the other finders, and adds its functions to what they find."""

    def __init__(self, guard: ListenerGuard) -> None:
        self._guard = guard
        self._hooks: dict[str, Callable[[Any], None]] = {}

    def install(self) -> None:
        """From now on, functions are called when their modules are imported."""
        sys.meta_path.insert(0, self)

    def add(self, name: str, hook: Callable[[Any], None]) -> None:
        """Call `hook(module)` now if the module is imported already, else when it is, after earlier hooks."""

        def guarded_hook(module: Any) -> None:
            with self._guard.demanding("Preparing the module %s" % name):
                hook(module)

        if name in sys.modules:
            guarded_hook(sys.modules[name])
        else:
            earlier = self._hooks.get(name)
            self._hooks[name] = guarded_hook if earlier is None else _call_both(earlier, guarded_hook)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Optional[Any]:
        """The real spec, with a loader that calls the hook afterwards; None for other modules."""
        hook = self._hooks.get(name)  # stays: a spec may be asked for without an import
        if hook is None:
            return None
        spec = self._find_real_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _HookedLoader(spec.loader, hook)
        return spec

    def _find_real_spec(self, name: str, path: Any, target: Any) -> Optional[Any]:
        for finder in sys.meta_path:
            if finder is not self and hasattr(finder, "find_spec"):
                spec = finder.find_spec(name, path, target)
                if spec is not None:
                    return spec
        return None


def _call_both(first: Callable[[Any], None], second: Callable[[Any], None]) -> Callable[[Any], None]:
    def hook(module: Any) -> None:
        first(module)
        second(module)

    return hook


class _HookedLoader(importlib.abc.Loader):
    """Runs the real loader, then the hook on the finished module."""

    def __init__(self, real_loader: Any, hook: Callable[[Any], None]) -> None:
        self._real_loader = real_loader
        self._hook = hook

    def create_module(self, spec: Any) -> Any:
        return self._real_loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        self._real_loader.exec_module(module)
        module.__spec__.loader = module.__loader__ = self._real_loader
        self._hook(module)

    def __getattr__(self, name: str) -> Any:  # get_data, get_source: what tracebacks and inspect ask for
        return getattr(self._real_loader, name)
