"""`seal` and `pack`: what comes out opens with any three custodians, and what must be refused is."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner

from bidding.model import Submission
from bidding.package import Expected, Unpacker
from clients import seal as verbs
from clients import trust as trust_file
from clients.tenders import TenderRefusedError, check
from crypto import possession, statement, threshold
from crypto.age import open_file, read_header, recipient_text, unwrap_p256tag
from crypto.canonical import canonical
from crypto.encoding import b64, unb64
from crypto.p256 import Point
from crypto.signature import SigningKey
from crypto.tlog.note import COSIGNATURE, VerifierKey
from tests.clients import scene

if TYPE_CHECKING:
    from pathlib import Path

app = typer.Typer()
app.command("seal")(verbs.seal)
app.command("pack")(verbs.pack)


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


class Kept:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self._name = ""

    def begin(self, name: str, size: int) -> None:
        self._name = name
        self.files[name] = b""

    def write(self, data: memoryview) -> None:
        self.files[self._name] += bytes(data)

    def end(self) -> None:
        return


def unpack(tar: bytes, key: bytes) -> Kept:
    kept = Kept()
    expected = Expected(
        centre=scene.CENTRE,
        tender="ten_a",
        section="sec_a",
        bidder="org_a",
        parties=("org_a",),
        key=key,
        fields=scene.FIELDS,
    )
    reader = Unpacker(expected, kept)
    reader.write(tar)
    reader.finish()
    return kept


def test_a_sealed_bid_opens_with_any_three_custodians_and_holds_the_files(tmp_path: Path) -> None:
    desk = scene.desk(tmp_path)
    bid = tmp_path / "BID.age"
    result = run("seal", *desk.options(), *map(str, desk.files), "-o", str(bid), "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["size"] == bid.stat().st_size

    submission = json.loads((tmp_path / "BID.submission.json").read_text())
    signed = submission["submission"]
    body = Submission.from_body(
        statement.verify(
            signed, purpose="submission", centre=scene.CENTRE, key=scene.bidder_key().public
        )
    )
    enc = unb64(body.encapsulation)
    possession.check(enc, canonical(signed["statement"]), unb64(submission["possession"]))

    with bid.open("rb") as source:
        header = read_header(source)
    stanza = header.bid_stanza()
    assert stanza.enc == enc
    _, shares = scene.ready()
    for three in list(combinations(shares, 3))[:4]:
        answers = {
            share.index: threshold.partial(share.secret, [Point.parse(enc)])[0] for share in three
        }
        dh = threshold.dh_x(threshold.combine(answers, 3)[0])
        file_key = unwrap_p256tag(stanza, shares[0].group.recipient, dh)
        open_file(bid, tmp_path / "out.tar", file_key)
        kept = unpack((tmp_path / "out.tar").read_bytes(), scene.bidder_key().public)
        assert kept.files == {path.name: path.read_bytes() for path in desk.files}
    secret = json.loads((tmp_path / "BID.secret.json").read_text())
    assert secret["file_key"] == b64(file_key)
    assert (tmp_path / "BID.secret.json").stat().st_mode & 0o077 == 0


def test_pack_is_refused_where_the_proof_is_required_and_gives_a_tar_where_it_is_waived(
    tmp_path: Path,
) -> None:
    desk = scene.desk(tmp_path)
    target = tmp_path / "BID.tar"
    arguments = ["pack", *desk.options(), *map(str, desk.files), "-o", str(target)]
    refused = run(*arguments)
    assert refused.exit_code == 1
    assert not target.exists()
    waived = scene.tender_file(proof_of_possession="waived")
    desk.tender.write_text(json.dumps(scene.signed_tender(waived)))
    assert run(*arguments).exit_code == 0
    kept = unpack(target.read_bytes(), scene.bidder_key().public)
    assert set(kept.files) == {path.name for path in desk.files}


def test_a_plain_file_is_sealed_to_a_named_recipient_with_a_warning(tmp_path: Path) -> None:
    plain, target = tmp_path / "plain", tmp_path / "plain.age"
    plain.write_bytes(b"hello")
    to = recipient_text(scene.ready()[1][0].group.recipient)
    result = run("seal", "--to", to, str(plain), "-o", str(target))
    assert result.exit_code == 0
    assert "nobody vouches" in result.stderr
    assert read_header(io.BufferedReader(io.BytesIO(target.read_bytes()))).p256tag()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--to", "age1tag1nonsense", "PLAIN"],
        ["--to", "age1x", "PLAIN", "PLAIN"],
        ["PLAIN"],
        ["--tender", "missing.json", "--trust", "t", "--key", "k", "--summary", "s", "PLAIN"],
    ],
)
def test_wrong_usage_ends_with_two(tmp_path: Path, arguments: list[str]) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"hello")
    given = [str(plain) if each == "PLAIN" else each for each in arguments]
    assert run("seal", *given, "-o", str(tmp_path / "x.age")).exit_code == 2
    assert not (tmp_path / "x.age").exists()


def trust(tmp_path: Path, pem: str) -> trust_file.Trust:
    path = tmp_path / "trust.pem"
    path.write_text(pem)
    return trust_file.read(path)


def refused(tmp_path: Path, signed: dict[str, Any], pem: str | None = None) -> str:
    with pytest.raises(TenderRefusedError) as caught:
        check(signed, trust(tmp_path, scene.trust_pem() if pem is None else pem))
    assert caught.value.checks[-1].status == "failed"
    return caught.value.checks[-1].id


def test_the_tender_file_holds_when_nothing_was_slipped_in(tmp_path: Path) -> None:
    held = check(scene.signed_tender(scene.tender_file()), trust(tmp_path, scene.trust_pem()))
    assert {each.status for each in held.checks if each.essential} == {"ok"}
    (unpinned,) = (each for each in held.checks if each.status != "ok")
    assert (unpinned.id, unpinned.status) == ("log-pinned", "not_checked")
    assert recipient_text(held.recipient) == held.tender.recipient


def test_a_log_or_a_witness_other_than_those_pinned_is_refused(tmp_path: Path) -> None:
    """A centre with a second log shows custodians another history than bidders."""
    log, other = VerifierKey("demo-centre/ledger/log1", b"\1" * 32), b"\2" * 32
    witness = scene.custodians()[0]
    known = VerifierKey(witness.name, witness.note.public_key().public_bytes_raw(), COSIGNATURE)
    pem = scene.trust_pem() + scene.note_certificate(log.name, log.public)
    good = scene.tender_file(ledger=str(log), witnesses=(str(known),))
    held = check(scene.signed_tender(good), trust(tmp_path, pem))
    assert {each.status for each in held.checks} == {"ok"}
    for changed, failed in (
        ({"ledger": str(replace(log, public=other))}, "log-pinned"),
        ({"ledger": str(replace(log, name="demo-centre/ledger/log2"))}, "log-pinned"),
        ({"ledger": "x"}, "log-pinned"),
        ({"witnesses": (str(known), str(replace(known, public=other)))}, "witnesses-pinned"),
        ({"witnesses": (str(replace(known, name="stranger")),)}, "witnesses-pinned"),
        ({"witnesses": ("x",)}, "witnesses-pinned"),
    ):
        bent = scene.signed_tender(scene.replace(good, **changed))
        assert refused(tmp_path, bent, pem) == failed


def test_of_two_centres_in_one_file_only_its_own_key_speaks_for_each(tmp_path: Path) -> None:
    """The other centre's key is marked as a centre's, too, and signs a tender file of this one."""
    other = SigningKey.generate()
    pem = scene.trust_pem() + scene.self_signed(other, "乙中心 声明签名")
    told = scene.tender_file()
    check(
        scene.signed_tender(told, other), trust(tmp_path, pem)
    )  # one log at most: nobody can tell
    pem += scene.note_certificate("demo-centre/ledger/log1", b"\1" * 32)
    pem += scene.note_certificate("other-centre/ledger/log1", b"\2" * 32)
    assert refused(tmp_path, scene.signed_tender(told, other), pem) == "tender-signature"


def test_a_recipient_slipped_in_by_the_centre_is_refused(tmp_path: Path) -> None:
    own = recipient_text(SigningKey.generate().public65)
    assert refused(tmp_path, scene.signed_tender(scene.tender_file(recipient=own))) == "recipient"


def test_a_ceremony_among_keys_that_were_not_pinned_is_refused(tmp_path: Path) -> None:
    strangers = tuple(scene.Keys(bytes([100 + n]) * 32) for n in range(5))
    certificate, shares = scene.ceremony(strangers, scene.context(strangers))
    named = scene.tender_file(certificate, shares)
    assert refused(tmp_path, scene.signed_tender(named)) == "custodians-pinned"


def test_the_centres_own_pinned_key_is_no_custodian(tmp_path: Path) -> None:
    # The centre's key is in trust.pem too; it must not count as a custodian's host key.
    pem = scene.self_signed(scene.centre_key(), "x") + scene.trust_pem()
    impostor = scene.centre_key()
    named = scene.tender_file()
    first = scene.replace(named.custodians[0], host_key=b64(impostor.public))
    changed = scene.replace(named, custodians=(first, *named.custodians[1:]))
    assert refused(tmp_path, scene.signed_tender(changed), pem) == "custodians-pinned"


def test_an_earlier_opening_time_than_the_custodians_agreed_to_is_refused(tmp_path: Path) -> None:
    earlier = scene.tender_file(earliest_t=scene.T0 - 60_000, deadline=scene.T0 - 60_000)
    assert refused(tmp_path, scene.signed_tender(earlier)) == "opening-time"
    sooner = scene.tender_file(deadline=scene.T0 - 1000)
    assert refused(tmp_path, scene.signed_tender(sooner)) == "opening-time"


@pytest.mark.parametrize(
    "changed",
    [
        {"section": "sec_b"},
        {"ceremony": "cer_b"},
        {"use": "rehearsal"},
        {"minimum_bidders": 1},
        {"t": 2},
        {"n": 4},
    ],
)
def test_a_key_made_for_something_else_is_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    signed = scene.signed_tender(scene.tender_file(**changed))
    assert refused(tmp_path, signed) == "key-context"


def test_a_tender_file_signed_by_a_stranger_is_refused(tmp_path: Path) -> None:
    signed = scene.signed_tender(scene.tender_file(), SigningKey.generate())
    assert refused(tmp_path, signed) == "tender-signature"
    altered = scene.signed_tender(scene.tender_file())
    altered["statement"]["t"] = 1
    assert refused(tmp_path, altered) == "tender-form"


def test_a_certificate_with_one_signature_changed_is_refused(tmp_path: Path) -> None:
    certificate, shares = scene.ready()
    broken = scene.replace(
        certificate, signatures=(certificate.signatures[1], *certificate.signatures[1:])
    )
    named = scene.tender_file(broken, shares)
    assert refused(tmp_path, scene.signed_tender(named)) == "certificate"
