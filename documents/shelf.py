"""The dossiers of a home: one folder of bags; the public renditions are handed out as ZIP files.

The full rendition lets bids be read (tenderer, supervisor, court), so it leaves the house by hand, not by HTTP.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from documents.bag import PUBLIC, Directory
from documents.dossier import Contents, write_both
from trading.ground.problems import NotFound

if TYPE_CHECKING:
    from pathlib import Path

_ENDING = f"-{PUBLIC}.bag"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP can say; the same bag gives the same bytes


class Shelf:
    """Dossiers in one folder. All calls block: run them in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, contents: Contents) -> tuple[Path, Path]:
        """Write both renditions and return their folders, the public one first.

        Raises:
            DocumentError: when there is one already, or a name is outside the layout.
        """
        return write_both(contents, self._folder)

    def subjects(self) -> list[str]:
        """Return the ids of sections and sessions that have a dossier."""
        if not self._folder.is_dir():
            return []
        return sorted(path.name.removesuffix(_ENDING) for path in self._folder.glob(f"*{_ENDING}"))

    def public_zip(self, subject: str) -> bytes:
        """Return the public rendition as a ZIP file with one top folder.

        Raises:
            NotFound: there is no dossier of this section or session.
        """
        if (
            subject not in self.subjects()
        ):  # compared as a whole: no path is built from a foreign name
            raise NotFound("no-such-dossier", "没有这个归档包", "There is no dossier of this id.")
        name = f"{subject}{_ENDING}"
        folder = Directory(self._folder / name)
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for inside in folder.names():
                entry = zipfile.ZipInfo(f"{name}/{inside}", _EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                with folder.open(inside) as file:
                    archive.writestr(entry, file.read())
        return target.getvalue()
