"""The worker process of a centre: all that draws or takes a PDF apart, and so imports reportlab, pikepdf, pyHanko.

Its functions are named here so that the centre can ask for them without those libraries, which take longer to
import than everything else together. A worker never outlives its centre, however the centre ends.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from documents.model import Facts
    from documents.signer import Prepared
    from documents.slots import Field, Unsigned


def unsigned(facts: Facts, slots: Sequence[str]) -> Unsigned:
    """In a worker: `draw.unsigned`."""
    from documents import draw

    return draw.unsigned(facts, slots)


def prepare(
    pdf: bytes, order: tuple[Field, ...], number: int, name: str, certificate: bytes, purpose: str, at: int
) -> Prepared:  # fmt: skip
    """In a worker: `sign.prepare`."""
    from documents import sign

    return sign.prepare(pdf, order, number, name, certificate, purpose, at)


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
