"""A whole key ceremony in one process, for tests that need a key or want to spoil one."""

from crypto.cocktail import HostKey, KeyContext, Participant, Share, SuccessCertificate


def hosts(n: int, seed: int = 0) -> list[HostKey]:
    """Return n host keys that are the same in every run."""
    return [HostKey(bytes([seed, i]) * 16) for i in range(1, n + 1)]


def key_context(keys: list[HostKey], t: int, **changes) -> KeyContext:
    """Return a context for these custodians."""
    terms = {
        "centre": "centre-1",
        "section": "sec_a",
        "ceremony": "cer_a",
        "purpose": "live",
        "earliest": 1_800_000_000_000,
        "minimum": 3,
        "custodians": tuple(key.public for key in keys),
        "t": t,
    }
    return KeyContext(**terms | changes)


def participants(keys: list[HostKey], t: int, context: bytes | None = None) -> list[Participant]:
    """Return the participants of one ceremony, before its first round."""
    context = key_context(keys, t).to_bytes() if context is None else context
    roster = [key.public for key in keys]
    return [
        Participant(key, index, roster, t, context, bytes([index]) * 32)
        for index, key in enumerate(keys, 1)
    ]


def hold(n: int, t: int, seed: int = 0) -> tuple[SuccessCertificate, list[Share], list[bytes]]:
    """Hold a ceremony.

    Returns:
        certificate, shares in roster order, the first messages.
    """
    people = participants(hosts(n, seed), t)
    messages = [each.round1() for each in people]
    signatures = [each.round2(messages) for each in people]
    results = [each.finish(signatures) for each in people]
    assert len({certificate.transcript for certificate, _ in results}) == 1
    return results[0][0], [share for _, share in results], messages
