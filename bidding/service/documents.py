"""Tender documents 招标文件: from a whole upload into the section's announcement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bidding.model import ConflictError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bidding.service.room import Room
    from bidding.service.uploads import UploadDesk
    from trading.model import Actor, Document


class TenderDocuments:
    """Attaches what was uploaded."""

    def __init__(self, room: Room, uploads: UploadDesk) -> None:
        self._room = room
        self._uploads = uploads

    async def attach(
        self, who: Actor, section: str, signed: Mapping[str, Any], upload_id: str, arrival: int
    ) -> Document:
        """Keep a whole upload of one's own organisation as a tender document.

        Args:
            who: tenderer, agent or operator.
            section: id in the address.
            signed: statement of purpose `document`.
            upload_id: of the upload that holds the bytes.
            arrival: ms UTC.

        Raises:
            ConflictError: the upload is not whole.
            TradingError: as `trading.service.addenda.Addenda.attach`.
        """
        addenda = self._room.trading.addenda
        addenda.check_attach(who, section, signed, arrival)
        upload = self._uploads.find(upload_id, who.organisation)
        if upload.offset != upload.length:
            raise ConflictError(
                "upload-incomplete", "文件尚未传完", "The file is not whole; go on uploading."
            )
        upload = await self._uploads.whole(upload)
        assert upload.blob is not None
        await self._uploads.use(upload_id)  # first: a sweep may take what nothing names
        return await addenda.attach(who, section, signed, upload.blob, arrival)
