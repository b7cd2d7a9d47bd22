"""The verb ``disclose``: hand over one's own file key after a declared quorum failure, never before.

Two steps, each run by the same command: first a signed pledge; when all bidders have pledged, the key. Nobody's
key leaves home before that, so that nobody can wait for others' prices.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from clients import sentences as say
from clients.errors import ClientError, IncompleteError, UsageError
from clients.submit import JsonOption, KeyOption, PassphraseOption, ServerOption
from clients.verbs import show, verb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clients.sdk.wire import Centre
    from crypto.signature import SigningKey

SecretArgument = Annotated[
    Path, typer.Argument(metavar="BID.secret.json", help="密封时留下的文件 kept since sealing")
]
SubmittingKey = KeyOption
POLL_S: Final = 1.0
FIELDS: Final = frozenset(
    {
        "v",
        "purpose",
        "centre",
        "tender",
        "section",
        "sha256",
        "encapsulation",
        "file_key",
        "warning",
    }
)


def read_secret(path: Path) -> dict[str, Any]:
    """Reads ``BID.secret.json``.

    Raises:
        UsageError: no such file, or another form.
    """
    from clients.files import read_json
    from clients.sealing import SECRET_PURPOSE

    value = read_json(path)
    if (
        not isinstance(value, dict)
        or set(value) != FIELDS
        or (value["v"], value["purpose"]) != (1, SECRET_PURPOSE)
        or not all(isinstance(value[name], str) for name in FIELDS - {"v"})
    ):
        raise UsageError(say.NO_SECRET_FILE(path=path))
    return value


class Discloser:
    """One bidder's two steps.

    Args:
        centre: where; logged in.
        key: the key that submitted.
        secret: content of ``BID.secret.json``.
        folder: where the receipts of both steps are kept.
    """

    def __init__(
        self, centre: Centre, key: SigningKey, secret: Mapping[str, Any], folder: Path
    ) -> None:
        self._centre = centre
        self._key = key
        self._secret = secret
        self._section = str(secret["section"])
        self._folder = folder

    def step(self) -> dict[str, Any]:
        """Does what can be done now; returns the state of affairs with ``submission``.

        Raises:
            ClientError: the quorum has not failed, or the file is of no bid that is listed.
            WireError: the centre does not answer.
        """
        path = f"/openings/{self._section}"
        state = dict(self._centre.call("GET", f"{path}/failure"))
        submission = self._submission()
        if submission not in state["wanted"]:
            raise ClientError(say.NOT_ON_CLOSE_LIST())
        if submission not in state["pledged"]:
            state = self._say("disclosure_pledge", f"{path}/pledges", state, submission)
        if state["phase"] == "disclosing" and submission not in state["disclosed"]:
            key = {"file_key": self._secret["file_key"]}
            state = self._say("disclosure", f"{path}/file-keys", state, submission, key)
        return {**state, "submission": submission}

    def _submission(self) -> str:
        """The id of the bid that counts; that it is this file is checked by the header's MAC there."""
        own = self._centre.call("GET", f"/sections/{self._section}/submissions/me")
        if not own.get("counts"):
            raise ClientError(say.NO_BID_COUNTS(section=self._section))
        return str(own["counts"])

    def _say(
        self,
        purpose: str,
        path: str,
        state: Mapping[str, Any],
        submission: str,
        more: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        from clients.sdk.opening import taken
        from crypto import statement

        bidder, centre_id = self._bidder(), str(self._secret["centre"])
        body = {
            "section": self._section,
            "bidder": bidder,
            "submission": submission,
            "failure": state["failure"],
            **(more or {}),
        }
        signed = statement.sign(self._key, purpose, centre_id, body)
        answer = dict(self._centre.call("POST", path, signed))
        act = "pledged" if purpose == "disclosure_pledge" else "disclosed"
        wanted = (self._section, bidder, act, statement.digest(signed).hex())
        taken(answer, wanted, centre_id, self._folder)
        return answer

    def _bidder(self) -> str:
        return str(self._centre.call("GET", "/organisations/me")["organisation"]["id"])


@verb
def disclose(
    secret: SecretArgument,
    server: ServerOption,
    key: SubmittingKey,
    wait: Annotated[
        int,
        typer.Option(
            "--wait", min=0, help="等待他人承诺的秒数 seconds to wait for others' pledges"
        ),
    ] = 0,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pledge, then hand over one's own file key, only after a declared quorum failure 托管失效."""
    from clients import keyfile
    from clients.sdk.session import login
    from clients.sdk.wire import Centre

    told = read_secret(secret)
    signing = keyfile.read_key(key, passphrase_file)
    with Centre.at(server) as centre:
        login(centre, signing, str(told["centre"]))
        discloser = Discloser(centre, signing, told, secret.parent)
        ends = time.monotonic() + wait
        state = discloser.step()
        while state["phase"] == "pledging" and time.monotonic() < ends:
            time.sleep(POLL_S)
            state = discloser.step()
    if state["submission"] not in state["disclosed"]:
        raise IncompleteError(
            say.PLEDGED(pledged=len(state["pledged"]), wanted=len(state["wanted"]))
        )
    show({"disclosed": state["submission"], "section": state["section"]}, as_json=as_json)
