"""Dossiers, records and receipts made once; tests take copies."""

from __future__ import annotations

import pytest

from tests.clients.auditor import auction_world, opening_world
from tests.documents import pki


@pytest.fixture(scope="session")
def authority() -> pki.Pki:
    return pki.build()


@pytest.fixture(scope="session")
def opened(tmp_path_factory, authority) -> opening_world.Made:
    return opening_world.make(tmp_path_factory.mktemp("opening"), authority)


@pytest.fixture(scope="session")
def played(tmp_path_factory, authority) -> auction_world.Played:
    return auction_world.make(tmp_path_factory.mktemp("auction"), authority)
