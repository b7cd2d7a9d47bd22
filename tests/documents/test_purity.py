import subprocess
import sys

import pytest

FORBIDDEN = (
    "reportlab",
    "fastapi",
    "starlette",
    "sqlmodel",
    "sqlalchemy",
    "pikepdf",
    "segno",
    "bagit",
)


@pytest.mark.parametrize("module", ["documents.verify", "documents.model"])
def test_what_verifies_draws_nothing_and_serves_nothing(module):
    code = f"import sys, {module}; print(sorted(set(sys.modules) & set({FORBIDDEN!r})))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)
    assert done.stdout.decode().strip() == "[]"


def test_the_harness_sees_a_module_that_draws():
    code = f"import sys, documents.draw; print(sorted(set(sys.modules) & set({FORBIDDEN!r})))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)
    assert "reportlab" in done.stdout.decode()


def test_a_centre_starts_without_what_only_its_worker_needs():
    """A start imports them in no room: they are half of all that a server would load (docs/benchmarks.md)."""
    code = (
        "import sys, main; from clients.bench.restart import IMPORTS; exec(IMPORTS)\n"
        "print(sorted(set(sys.modules) & {'reportlab', 'pikepdf', 'pyhanko', 'aiohttp', 'segno', 'alembic'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)
    assert done.stdout.decode().strip() == "[]"
