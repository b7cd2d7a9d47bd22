"""Key ceremonies against those who cheat in them, and against restarts."""

import json
from dataclasses import replace

import pytest

from crypto import cocktail, schnorr
from crypto import cocktail_wire as wire
from crypto.cocktail import (
    BlameError,
    HostKey,
    KeyContext,
    Participant,
    SuccessCertificate,
    recover,
    verify_certificate,
)
from crypto.errors import CeremonyError, FormatError, SignatureError
from crypto.p256 import N, Point, Secret
from tests.crypto.ceremony import hold, hosts, key_context, participants


def test_a_ceremony_gives_every_custodian_the_same_key_and_a_fitting_share():
    certificate, shares, messages = hold(5, 3)
    group = shares[0].group
    for share in shares:
        assert share.secret.public() == group.share(share.index)
        assert share.group == group
    assert group.key_context == key_context(hosts(5), 3)
    assert (
        SuccessCertificate.from_json(json.loads(json.dumps(certificate.to_json()))) == certificate
    )
    for host, share in zip(hosts(5), shares, strict=True):
        bundle = cocktail.share_bundle(messages, share.index, 3)
        assert recover(host, certificate, bundle).secret.scalar == share.secret.scalar


def test_a_restart_between_rounds_changes_nothing():
    keys = hosts(3)
    people = participants(keys, 2)
    messages = [each.round1() for each in people]
    signatures = [each.round2(messages) for each in people]
    again = Participant.from_json(keys[0], json.loads(json.dumps(people[0].to_json())))
    assert again.round1() == messages[0]
    with pytest.raises(CeremonyError):
        again.finish(signatures)
    assert again.round2(messages) == signatures[0]
    assert again.finish(signatures)[0] == people[0].finish(signatures)[0]


def test_two_ceremonies_never_use_one_polynomial():
    keys = hosts(3)
    roster = [key.public for key in keys]
    contexts = [key_context(keys, 2, ceremony=name).to_bytes() for name in ("cer_a", "cer_b")]
    starts = [Participant(keys[0], 1, roster, 2, c, bytes(32)).round1()[:66] for c in contexts]
    fresh = [Participant(keys[0], 1, roster, 2, contexts[0]).round1()[:66] for _ in range(2)]
    assert len({*starts, *fresh}) == 4


def test_a_second_transcript_of_one_ceremony_is_not_signed_even_after_a_restart():
    keys = hosts(3)
    people = participants(keys, 2)
    messages = [each.round1() for each in people]
    people[0].round2(messages)
    context = people[0].context
    roster = [key.public for key in keys]
    other = Participant(keys[2], 3, roster, 2, context, b"\x99" * 32).round1()
    restarted = Participant.from_json(keys[0], people[0].to_json())
    for person in (people[0], restarted):
        with pytest.raises(CeremonyError, match="another transcript"):
            person.round2([messages[0], messages[1], other])


def test_a_split_view_ends_without_a_key():
    keys = hosts(3)
    people = participants(keys, 2)
    messages = [each.round1() for each in people]
    roster = [key.public for key in keys]
    double = Participant(keys[2], 3, roster, 2, people[0].context, b"\x99" * 32)
    signatures = [
        people[0].round2(messages),
        people[1].round2([messages[0], messages[1], double.round1()]),
        people[2].round2(messages),
    ]
    with pytest.raises(BlameError, match="custodian 2") as caught:
        people[0].finish(signatures)
    assert caught.value.index == 2


def alter(message: bytes, **changes) -> bytes:
    return replace(wire.Round1.from_bytes(message, 3, 2), **changes).to_bytes()


def spoilt(message: bytes, kind: str, keys: list[HostKey]) -> bytes:
    """Return custodian 3's first message, wrong in one way."""
    parsed = wire.Round1.from_bytes(message, 3, 2)
    if kind == "proof":
        return alter(message, proof=parsed.proof[:-1] + bytes([parsed.proof[-1] ^ 1]))
    if kind == "proof not a point":
        return alter(message, proof=b"\x05" + parsed.proof[1:])
    if kind == "ephemeral":
        return alter(message, ephemeral=Secret(5).public())
    if kind == "commitment":
        return alter(message, commitment=(parsed.commitment[0], Secret(5).public()))
    if kind == "ciphertext":
        first = bytearray(parsed.ciphertexts[0])
        first[3] ^= 1
        return alter(message, ciphertexts=(bytes(first), *parsed.ciphertexts[1:]))
    if kind == "exchanged ciphertexts":
        return alter(message, ciphertexts=(parsed.ciphertexts[1], *parsed.ciphertexts[1:]))
    if kind == "raised threshold":
        return wire.join_points([Secret(7).public()]) + message
    if kind == "lowered threshold":
        return message[33:]
    if kind == "trailing":
        return message + b"\x00"
    if kind == "infinity":
        return bytes(33) + message[33:]
    if kind == "huge frame":
        return message[: 66 + 65 + 33] + (2**63).to_bytes(8) + message[66 + 65 + 33 + 8 :]
    if kind == "foreign share":  # right for its sender's other polynomial: not on this one
        a, b, e = Secret(11), Secret(12), Secret(13)
        roster = [Point.parse(key.public) for key in keys]
        context = key_context(keys, 2).to_bytes()
        one = cocktail.first_message(keys[2].static, roster, context, [a, b], e)
        two = cocktail.first_message(keys[2].static, roster, context, [a, Secret(14)], e)
        return replace(one, ciphertexts=two.ciphertexts).to_bytes()
    raise AssertionError(kind)


KINDS = [
    "proof", "proof not a point", "ephemeral", "commitment", "ciphertext", "exchanged ciphertexts",
    "raised threshold", "lowered threshold", "trailing", "infinity", "huge frame", "foreign share",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_sends_a_false_first_message_is_named(kind):
    keys = hosts(3)
    people = participants(keys, 2)
    messages = [each.round1() for each in people]
    messages[2] = spoilt(messages[2], kind, keys)
    with pytest.raises(BlameError) as caught:
        people[0].round2(messages)
    assert caught.value.index == 3
    assert caught.value.public == (
        kind in {"proof", "proof not a point", "ephemeral", "commitment"}
    )


def test_missing_and_altered_own_messages_are_noticed():
    people = participants(hosts(3), 2)
    messages = [each.round1() for each in people]
    with pytest.raises(CeremonyError):
        people[0].round2(messages[:2])
    with pytest.raises(CeremonyError, match="another first message"):
        people[0].round2([messages[1], messages[1], messages[2]])


@pytest.mark.parametrize(
    "changes",
    [
        {"section": "sec_b"},
        {"centre": "centre-2"},
        {"purpose": "rehearsal"},
        {"earliest": 1_700_000_000_000},
        {"minimum": 1},
        {"ceremony": "cer_b"},
    ],
)
def test_a_certificate_for_other_terms_is_refused(changes):
    certificate, _, _ = hold(3, 2)
    pinned = {key.public for key in hosts(3)}
    verify_certificate(certificate, pinned, key_context(hosts(3), 2))
    with pytest.raises(CeremonyError):
        verify_certificate(certificate, pinned, key_context(hosts(3), 2, **changes))


def test_a_certificate_of_unpinned_custodians_is_refused():
    certificate, _, _ = hold(3, 2)
    with pytest.raises(CeremonyError, match="pinned"):
        verify_certificate(certificate, {key.public for key in hosts(3, seed=9)})
    with pytest.raises(CeremonyError, match="custodian 3"):
        verify_certificate(certificate, {key.public for key in hosts(2)})


def test_every_signature_is_needed_and_every_byte_is_signed():
    certificate, _, _ = hold(3, 2)
    pinned = {key.public for key in hosts(3)}
    with pytest.raises(CeremonyError, match="2 of 3"):
        verify_certificate(replace(certificate, signatures=certificate.signatures[:2]), pinned)
    swapped = (certificate.signatures[1], certificate.signatures[0], certificate.signatures[2])
    with pytest.raises(BlameError) as caught:
        verify_certificate(replace(certificate, signatures=swapped), pinned)
    assert caught.value.index == 1
    for at in range(0, len(certificate.transcript), 41):
        data = bytearray(certificate.transcript)
        data[at] ^= 1
        with pytest.raises((CeremonyError, FormatError)):
            verify_certificate(replace(certificate, transcript=bytes(data)), pinned)


def test_a_proof_of_possession_is_needed_even_where_everybody_signed():
    """COCKTAIL-DKG Round 2 step 2: who signed in league could else pick a key by a rogue commitment."""
    certificate, _, _ = hold(3, 2)
    keys = hosts(3)
    true = wire.Transcript.from_bytes(certificate.transcript)
    for proofs, culprit in ((true.proofs, None), ((*true.proofs[:2], true.proofs[0]), 3)):
        text = replace(true, proofs=proofs).to_bytes()
        signatures = tuple(schnorr.sign(key.static, text) for key in keys)
        league = SuccessCertificate(text, signatures)
        pinned = {key.public for key in keys}
        if culprit is None:
            verify_certificate(league, pinned)
        else:
            with pytest.raises(BlameError, match="possession") as caught:
                verify_certificate(league, pinned)
            assert caught.value.index == culprit


def test_a_certificate_has_exactly_one_json_form():
    certificate, _, _ = hold(2, 2)
    value = certificate.to_json()
    assert SuccessCertificate.from_json(value) == certificate
    for changes in ({"v": True}, {"v": 1.0}, {"signatures": ["AAAA", 5]}):
        with pytest.raises(FormatError):
            SuccessCertificate.from_json(value | changes)


def test_a_context_that_names_another_roster_or_threshold_starts_no_ceremony():
    keys = hosts(3)
    roster = [key.public for key in keys]
    for context in (key_context(keys, 3), key_context(hosts(3, 1), 2)):
        with pytest.raises(CeremonyError):
            Participant(keys[0], 1, roster, 2, context.to_bytes())


@pytest.mark.parametrize(
    ("index", "t", "roster"),
    [(2, 2, [0, 1, 2]), (0, 2, [0, 1, 2]), (4, 2, [0, 1, 2]), (1, 0, [0, 1, 2]), (1, 4, [0, 1, 2]),
     (1, 2, [0, 1, 1])],
)  # fmt: skip
def test_an_impossible_setup_is_refused(index, t, roster):
    keys = hosts(3)
    with pytest.raises(CeremonyError):
        Participant(keys[0], index, [keys[i].public for i in roster], t, b"context")


def test_an_exchanged_bundle_is_not_recovered_from():
    certificate, _, messages = hold(3, 2)
    mine = cocktail.share_bundle(messages, 1, 2)
    other = cocktail.share_bundle(messages, 2, 2)
    for bundle in (other, mine[:-1], mine + b"\x00", b""):
        with pytest.raises(CeremonyError):
            recover(hosts(3)[0], certificate, bundle)
    with pytest.raises(FormatError):
        recover(hosts(4)[3], certificate, mine)


@pytest.mark.parametrize(
    "changes",
    [{"purpose": "test"}, {"minimum": 0}, {"earliest": -1}, {"t": 0}, {"t": 4}, {"custodians": ()}],
)
def test_a_context_out_of_range_is_refused(changes):
    with pytest.raises(FormatError):
        replace(key_context(hosts(3), 2), **changes)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"v":1', b'"v":2'),
        (b"P-256", b"P-384"),
        (b'"t":2', b'"t":2.0'),
        (b'"t":2', b'"t":true'),
        (b'"section":"sec_a"', b'"section":7'),
        (b'"n":3', b'"n":4'),
        (b'"minimum":3,', b""),
        (b'"custodians":[', b'"custodians":[5,'),
        (b'":', b'": '),
        (b'{"c', b'{"a":1,"c'),
        (b"{", b""),
    ],
)
def test_a_context_has_exactly_one_form(old, new):
    text = key_context(hosts(3), 2).to_bytes()
    assert KeyContext.from_bytes(text) == key_context(hosts(3), 2)
    assert old in text
    with pytest.raises(FormatError):
        KeyContext.from_bytes(text.replace(old, new))


@pytest.mark.parametrize("text", [b"[]", b'{"custodians":5}', b'"text"', b""])
def test_what_is_no_context_is_refused(text):
    with pytest.raises(FormatError):
        KeyContext.from_bytes(text)


@pytest.mark.parametrize("value", [None, [], {}, {"v": 2}, {"v": 1, "suite": wire.SUITE}])
def test_what_is_no_certificate_or_state_is_refused(value):
    with pytest.raises(FormatError):
        SuccessCertificate.from_json(value)
    with pytest.raises(FormatError):
        Participant.from_json(hosts(1)[0], value if isinstance(value, dict) else {})


@pytest.mark.parametrize("changes", [{"v": 2}, {"suite": "COCKTAIL(Ed25519)"}, {"nonce": "AAAA"}])
def test_a_state_of_another_version_suite_or_nonce_is_not_gone_on_with(changes):
    """COCKTAIL-DKG Round 1: a short nonce would make the salt of the polynomial ambiguous."""
    keys = hosts(2)
    state = participants(keys, 2)[0].to_json()
    assert Participant.from_json(keys[0], state).index == 1
    with pytest.raises(FormatError):
        Participant.from_json(keys[0], state | changes)


def test_a_host_key_never_prints_its_secret_and_refuses_other_lengths():
    assert (b"\x07" * 32).hex() not in repr(HostKey(b"\x07" * 32))
    with pytest.raises(FormatError):
        HostKey(b"short")
    key = HostKey(b"\x07" * 32)
    assert key.derive("a") != key.derive("b") != key.derive("b", salt=b"x")


@pytest.mark.parametrize("signature", [b"", bytes(65), b"\x02" + bytes(64), bytes(64)])
def test_a_malformed_signature_is_a_signature_error(signature):
    with pytest.raises(SignatureError):
        schnorr.verify(Secret(5).public(), b"text", signature)


def test_a_response_must_be_reduced():
    secret = Secret(5)
    signature = schnorr.sign(secret, b"text")
    schnorr.verify(secret.public(), b"text", signature)
    with pytest.raises(SignatureError):
        schnorr.verify(secret.public(), b"text", signature[:33] + N.to_bytes(32))
    with pytest.raises(SignatureError):
        schnorr.verify(secret.public(), b"other", signature)
