"""Login by a single-use signed challenge: no password, no cookie, nothing to steal from a disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clients.errors import ClientError
from clients.sdk import sentences as say
from crypto import statement
from crypto.encoding import b64

if TYPE_CHECKING:
    from clients.sdk.wire import Centre
    from crypto.signature import SigningKey

LOGIN: Final = "login"


def login(centre: Centre, key: SigningKey, centre_id: str | None = None) -> str:
    """Opens a session for a key and keeps its token in ``centre``.

    Args:
        centre: where to log in.
        key: a P-256 key that the centre knows.
        centre_id: the id to sign for; asked of the centre when it was not pinned.

    Returns:
        The bearer token, opaque.

    Raises:
        RefusedError: the centre does not know the key or its challenge is used up.
    """
    name = centre_id or str(centre.about()["id"])
    asked = centre.call("POST", "/session/challenge", {"key": b64(key.public)})
    # Our own idea of the address, not the answer's: a middleman's challenge is then worth nothing.
    body = {"challenge": asked["challenge"], "origin": centre.origin}
    answer = centre.call("POST", "/session", statement.sign(key, LOGIN, name, body))
    token = answer.get("token") if isinstance(answer, dict) else None
    if not isinstance(token, str):
        raise ClientError(say.NO_TOKEN())
    centre.token = token
    return token
