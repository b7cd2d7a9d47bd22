"""Answering a release request, or refusing by a named check.

`bidding.release` decides, pure; this file brings it what it needs and acts on its verdict. An answer is
kept before it is sent; asked again, the custodian sends the same bytes. A refusal is signed too, so that a
lawful silence can be told from a lost custodian.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from bidding.model import Check, Release, ReleaseRefusal
from bidding.release import Answer, CustodianView, ReleaseRequest, TwoSigned, Verdict, decide
from clients.custodian import histories
from clients.custodian import sentences as say
from clients.custodian.ceremony import birth_of, certificate_of, load_share
from clients.errors import ClientError
from clients.sdk import ledger
from crypto import statement, threshold
from crypto.canonical import canonical, parse
from crypto.certificate import verify_certificate
from crypto.encoding import b64, sha256_hex, unb64
from crypto.p256 import Point
from crypto.tlog.checkpoint import open_checkpoint
from crypto.tlog.fold import frontier_before

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clients.custodian.cosigner import Cosigner
    from clients.custodian.home import Home
    from clients.custodian.roster import Roster
    from clients.sdk.wire import Centre

RELEASE: Final = "release"
REFUSAL: Final = "refusal"
ANSWERED: Final = "answered"
HOLD: Final = "hold"
HANDED: Final = "handed"

REFUSAL_MS: Final = 10_000
"""The same reason is signed anew this often; in between the first refusal is sent again."""


class Releases:
    """The release requests of one home.

    Args:
        home: keys and memory.
        roster: whom it believes, pinned at `join`.
        cosigner: its own witness, for the checkpoint it last cosigned.
    """

    def __init__(self, home: Home, roster: Roster, cosigner: Cosigner) -> None:
        self._home = home
        self._roster = roster
        self._cosigner = cosigner

    def answer(self, centre: Centre, section: str, now: int) -> tuple[dict[str, Any], Verdict]:
        """The signed release, or the signed refusal, for a section, and the checks behind it.

        Args:
            centre: where request and leaves are read.
            section: id of the section.
            now: own clock, ms UTC; kept before anything is decided by it.

        Raises:
            ClientError: the request is for another section, or this home holds no such key.
            WireError: the centre does not answer.
        """
        last = self._cosigner.last()
        asked = centre.call(
            "GET",
            f"/custody/sections/{section}/release-request",
            query={"since": last[0] if last else 0},
        )
        request = ReleaseRequest.from_body(asked)
        size = open_checkpoint(request.head.encode(), self._roster.ledger).size
        request = self._widened(centre, request, size)
        if request.section != section:
            raise ClientError(say.ANSWERED_ABOUT_ANOTHER(asked=section, answered=request.section))
        histories.learn(self._home.state, self._roster, ledger.evidence(centre), now)
        view = self._view(request, now)
        verdict = decide(view, request, ledger.leaves(centre, request.start, size))
        if verdict.answer is not None:
            return self._release(request, verdict.answer, view, now), verdict
        return self._refuse(request, verdict.refusal, now), verdict

    def _widened(self, centre: Centre, request: ReleaseRequest, size: int) -> ReleaseRequest:
        """Let the run begin before there was a key: what bids were taken under it, lies in the run."""
        born, root = birth_of(self._home, request.ceremony)
        if request.start <= born:
            return request
        proof = ledger.consistency(centre, born, size) if born else []
        edge = frontier_before(born, size, proof, root) if born else ()
        return replace(request, start=born, frontier=tuple(node.hex() for node in edge))

    def _view(self, request: ReleaseRequest, now: int) -> CustodianView:
        """What this home knows by itself; the instant is kept first, and never goes back."""
        home, roster = self._home, self._roster
        last_time, _ = home.state.mark("clock")
        if now >= last_time:
            home.state.advance("clock", now)
        certificate = certificate_of(home, request.ceremony)
        held = home.state.said(HOLD, request.section)
        answered = home.state.said(ANSWERED, request.ceremony)
        own = home.card().witness
        return CustodianView(
            centre=home.identity.centre,
            centre_keys=frozenset({roster.centre_key}),
            supervisor_keys=frozenset({roster.supervisor_key}),
            custodian=home.keys.name,
            host_key=home.keys.host.public,
            group=verify_certificate(certificate, roster.hosts().keys()),
            certificate=sha256_hex(canonical(certificate.to_json())),
            now=now,
            last_time=last_time,
            log=roster.ledger,
            witnesses=tuple(key for key in roster.notes() if key != own),
            last=self._cosigner.last(),
            hold=None if held is None else held.decode(),
            handed=[
                TwoSigned.from_body(parse(text)) for text in home.state.all_said(HANDED).values()
            ],
            answered=None if answered is None else answered.decode(),
            evidence=histories.kept(home.state),
            born=birth_of(home, request.ceremony)[0],
        )

    def _release(
        self, request: ReleaseRequest, answer: Answer, view: CustodianView, now: int
    ) -> dict[str, Any]:
        home = self._home
        subject = _subject(request.ceremony, answer.close_list, answer.encapsulations)
        kept = home.state.said(RELEASE, subject)
        if kept is not None:
            return dict(parse(kept))
        home.state.say(ANSWERED, request.ceremony, answer.close_list.encode(), now)
        points = [Point.parse(unb64(text)) for text in answer.encapsulations]
        partials, proof = threshold.partial(load_share(home, request.ceremony), points)
        body = Release(
            section=request.section,
            custodian=home.keys.name,
            ceremony=request.ceremony,
            index=view.group.index_of(view.host_key),
            close_list=answer.close_list,
            encapsulations=answer.encapsulations,
            partials=tuple(b64(point.compressed()) for point in partials),
            proof=b64(proof),
            head_size=answer.head.size,
            head_root=answer.head.root.hex(),
        )
        signed = statement.sign(
            home.keys.statement, Release.PURPOSE, home.identity.centre, body.to_body()
        )
        return dict(parse(home.state.say(RELEASE, subject, canonical(signed), now)))

    def _refuse(self, request: ReleaseRequest, first: Check | None, now: int) -> dict[str, Any]:
        assert first is not None  # no answer without a failed check
        home = self._home
        body = ReleaseRefusal(
            section=request.section,
            custodian=home.keys.name,
            close_list="",
            check=first.id,
            detail=first.detail[:4000],
            at=now,
        )
        signed = statement.sign(
            home.keys.statement, ReleaseRefusal.PURPOSE, home.identity.centre, body.to_body()
        )
        subject = f"{request.ceremony} {first.id} {now // REFUSAL_MS}"
        return dict(parse(home.state.say(REFUSAL, subject, canonical(signed), now)))


def subject_of(said: Release) -> str:
    """Under what an answer is kept."""
    return _subject(said.ceremony, said.close_list, said.encapsulations)


def _subject(ceremony: str, close_list: str, encapsulations: Iterable[str]) -> str:
    # A supplementary list adds encapsulations to the same close list: another answer, whose
    # partials for the old ones are the same points, because a share is one number.
    return f"{ceremony} {close_list} {sha256_hex(canonical(list(encapsulations)))}"
