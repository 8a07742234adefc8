"""Starts a worker: imports what every replay needs, and forks the process that creates the models.

The fork is made before any code of the project's runs. The first process runs the history. The second imports
the project at the same time, waits where env.py opens a database, and creates the models when the history has
run; see `models_run`.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys

from .answer_stream import AnswerStream, OrderStream
from .dialect_choice import find_installed_drivers
from .process_attributes import end_with_parent
from .protocol.run_lines import Done
from .relocated_imports import relocate_imports
from .session import Session
from .stack_dumps import enable_stack_dumps

MODELS_NICENESS = 5
"""of the process that creates the models: it waits for the replay, so the replay goes first"""
PRELOADED_MODULES = (
    "alembic.command",
    "alembic.runtime.environment",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.orm",
)


def run_worker(order: int, answer: int, *models_descriptors: int) -> int:
    """Receive the order and answer it; the exit status: 0 whenever the answer could be finished.

    `models_descriptors`: order, answer and output of the process that creates the models, if there is one.
    """
    gc.disable()  # nothing of what is imported here is ever garbage
    _preload_modules()
    gc.freeze()  # the forks need not look at it either, which would copy its pages
    gc.enable()
    if models_descriptors:
        models_order, models_answer, models_output = models_descriptors
        parent = os.getpid()
        if os.fork() == 0:
            end_with_parent(parent)
            os.nice(MODELS_NICENESS)
            _close_descriptors(order, answer)
            os.dup2(models_output, 1)
            os.dup2(models_output, 2)
            order, answer = models_order, models_answer
        else:
            _close_descriptors(models_order, models_answer)
        os.close(models_output)
    return _carry_out_order(OrderStream(order), AnswerStream(answer))


def _carry_out_order(orders: OrderStream, answer: AnswerStream) -> int:
    order = orders.receive_order()
    os.environ.update(order.environment)
    enable_stack_dumps()
    if order.relocation:
        relocate_imports(*order.relocation)
    sys.path[:0] = order.sys_path
    sys.path += order.later_sys_path
    status = Session(order, orders, answer).run()
    if status == 0:
        answer.send(Done())
    return status


def _close_descriptors(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _preload_modules() -> None:
    """Import what every replay needs while the server starts. What fails here fails and is reported later.

    Both processes have it then. A driver takes up to 0.1 s of CPU; of several, one is not chosen here.
    """
    with contextlib.suppress(Exception):
        for name in PRELOADED_MODULES:
            importlib.import_module(name)
        drivers = find_installed_drivers()
        if len(drivers) == 1:
            importlib.import_module(drivers[0])
