"""Where tests find what others made: outside vectors beside the repository."""

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"
VECTORS = SHARED / "vectors"


def vectors(name: str) -> Path:
    """The folder of one vector set; a test module or test that asks for an absent one is skipped."""
    folder = VECTORS / name
    if not folder.is_dir():
        pytest.skip(
            f"outside vectors {name!r} are not beside this checkout", allow_module_level=True
        )
    return folder
