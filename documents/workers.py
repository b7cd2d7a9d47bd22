"""A drawing process that never outlives its centre, however the centre ends."""

from __future__ import annotations

import multiprocessing
import os
import threading
from multiprocessing.connection import wait


def end_with_parent() -> None:
    """Initialise a worker: end it at once when the process that started it is gone, killed or not.

    A worker waits on a queue whose both ends it holds, so it would never notice by itself.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True).start()


def _watch(sentinel: int) -> None:
    wait([sentinel])
    os._exit(0)
