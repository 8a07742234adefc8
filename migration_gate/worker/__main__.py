"""Starts the worker under a name of its own, so that no module of the project can be shadowed by it."""

import gc
import importlib.util
import os
import sys


def main() -> int:
    """Load this folder as the package `migration_gate_worker` and run it."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder or ".") != here]
    spec = importlib.util.spec_from_file_location(
        "migration_gate_worker", os.path.join(here, "__init__.py"), submodule_search_locations=[here]
    )
    assert spec is not None  # noqa: S101  (the file is beside this one)
    assert spec.loader is not None  # noqa: S101
    package = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = package
    spec.loader.exec_module(package)
    gc.disable()  # nothing of what is imported at first is ever garbage; `worker_start` turns it on again
    from migration_gate_worker.worker_start import run_worker  # type: ignore[import-not-found]

    descriptors = [int(text) for text in sys.argv[1:]]
    sys.argv[:] = ["alembic"]
    return int(run_worker(*descriptors))


if __name__ == "__main__":
    # Flushed and left at once: threads and atexit handlers of the project's must not hold the answer up.
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
