"""Witnessing the log: a checkpoint is cosigned only as the future of the last one cosigned.

Before a cosignature leaves this home its checkpoint is remembered, so that no crash can make this witness
sign two histories. A centre that shows a shorter log, or one that did not grow out of what was cosigned, gets
no signature; the contradiction is kept, for it is evidence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clients.custodian import histories
from clients.custodian import sentences as say
from clients.errors import ClientError
from clients.sdk import ledger
from crypto.errors import ProofError
from crypto.tlog import checkpoint, cosignature, merkle

if TYPE_CHECKING:
    from clients.custodian.home import Home
    from clients.sdk.wire import Centre

REFRESH_SECONDS: Final = 10
"""An unchanged log is cosigned again this often: a cosignature's time is what others count on."""
LAST: Final = "checkpoint"
ROOT: Final = 32  # bytes of the mark's content; the note that the log signed follows them
CONTRADICTION: Final = "contradiction"


class ForkError(ClientError):
    """The centre shows a log that contradicts one this witness has cosigned; kept as evidence."""


class Cosigner:
    """The witness of one home.

    Args:
        home: keys and memory.
        log: the log's verifier key, pinned at `join`.
    """

    def __init__(self, home: Home, log: str) -> None:
        self._home = home
        self._log = log
        self._signed_at = 0

    def last(self) -> tuple[int, bytes] | None:
        """Size and root of the checkpoint last cosigned; None before the first."""
        size, content = self._home.state.mark(LAST)
        return (size, content[:ROOT]) if content else None

    def step(self, centre: Centre, now: int) -> bool:
        """Fetches the newest checkpoint and cosigns it if it may be; says whether it did.

        Args:
            centre: where to read and to hand in.
            now: own clock, ms UTC.

        Raises:
            ForkError: the log contradicts what was cosigned.
            CryptoError: the checkpoint is not signed by the pinned log.
            WireError: the centre does not answer.
        """
        signed = ledger.checkpoint(centre)
        tree = checkpoint.open_checkpoint(signed, self._log)
        if tree.size == 0:
            return False  # an empty log begins every log; a cosignature on it would say nothing
        last = self.last()
        if last is not None:
            if tree.size == last[0] and tree.root == last[1]:
                if now // 1000 - self._signed_at < REFRESH_SECONDS:
                    return False
            else:
                self._grown(centre, last, tree, signed, now)
        if last != (tree.size, tree.root):
            self._home.state.advance(LAST, tree.size, tree.root + signed)
        stamp = now // 1000
        ledger.cosign(centre, self.cosigned(signed, stamp))
        self._signed_at = stamp
        return True

    def cosigned(self, signed: bytes, stamp: int) -> bytes:
        """The note with this witness's timestamped cosignature (type 0x04) as its last line.

        Args:
            signed: a checkpoint signed by the log.
            stamp: own clock, seconds UTC.
        """
        return cosignature.add(signed, self._home.keys.note, self._home.keys.name, stamp)

    def _grown(
        self,
        centre: Centre,
        last: tuple[int, bytes],
        tree: checkpoint.Checkpoint,
        signed: bytes,
        now: int,
    ) -> None:
        """Makes sure that the tree grew out of the last one cosigned."""
        size, root = last
        # No proof is asked for a log that is not longer: an empty one then fails as it must.
        longer = tree.size > size
        proof = ledger.consistency(centre, size, tree.size) if longer else []
        try:
            merkle.verify_consistency(size, tree.size, proof, root, tree.root)
        except ProofError as error:
            subject = f"{size}-{tree.size}-{tree.root.hex()}"
            self._home.state.say(CONTRADICTION, subject, signed, now)
            kept = self._home.state.mark(LAST)[1][ROOT:]
            found = histories.prove(centre, self._log, kept, signed, size) if kept else None
            where = "the contradiction is kept"
            if found is not None:
                where = f"the proof lies in {histories.hand_on(self._home, centre, found, now)}"
            raise ForkError(
                say.LOG_CONTRADICTS(shown=tree.size, signed=size, error=error, where=where)
            ) from error
