"""Opening by t of n: every subset, every liar."""

from dataclasses import replace
from functools import cache
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import threshold
from crypto.errors import AuthenticationError, FormatError, ProofError
from crypto.hpke import open_with_dh, seal
from crypto.p256 import G, N, Point, Secret
from crypto.threshold import Answer, WrongAnswerError, unlock
from tests.crypto.ceremony import hold

EPHEMERALS = [Secret(1000 + i) for i in range(4)]
POINTS = [secret.public() for secret in EPHEMERALS]


@cache
def opened(n: int, t: int):
    """Return group, true products and everybody's answer, made once per size."""
    _, shares, _ = hold(n, t)
    group = shares[0].group
    answers = {s.index: Answer(*map_tuple(threshold.partial(s.secret, POINTS))) for s in shares}
    return group, [secret.mul(group.public) for secret in EPHEMERALS], answers


def map_tuple(result):
    partials, proof = result
    return tuple(partials), proof


@pytest.mark.parametrize(("n", "t"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (7, 4)])
def test_every_subset_of_t_gives_the_same_and_no_smaller_one_gives_it(n, t):
    group, truth, answers = opened(n, t)
    for subset in combinations(range(1, n + 1), t):
        partials = {index: answers[index].partials for index in subset}
        assert threshold.combine(partials, t) == truth
    for subset in combinations(range(1, n + 1), t - 1):
        partials = {index: answers[index].partials for index in subset}
        with pytest.raises(ProofError):
            threshold.combine(partials, t)
        if subset:  # pretending that fewer are enough gives something else
            assert threshold.combine(partials, t - 1)[0] != truth[0]
    assert group.n == n


@given(st.sets(st.integers(1, 40), min_size=1, max_size=9), st.data())
def test_integer_coefficients_are_lagranges(indices, data):
    order = sorted(indices)
    factors, denominator = threshold.coefficients(order)
    polynomial = [data.draw(st.integers(0, N - 1)) for _ in order]
    values = [sum(a * i**k for k, a in enumerate(polynomial)) for i in order]
    total = sum(f * v for f, v in zip(factors, values, strict=True))
    assert denominator > 0
    assert total == polynomial[0] * denominator


@settings(max_examples=40)
@given(st.integers(1, 5), st.integers(0, 3), st.integers(1, N - 1))
def test_a_wrong_answer_is_refused_and_its_custodian_named(liar, at, shift):
    group, truth, answers = opened(5, 3)
    partials = list(answers[liar].partials)
    partials[at] += shift * G
    lie = replace(answers[liar], partials=tuple(partials))
    with pytest.raises(WrongAnswerError) as caught:
        threshold.check_partial(group.share(liar), POINTS, lie.partials, lie.proof, liar)
    assert caught.value.index == liar
    assert isinstance(caught.value, ProofError)
    unlocked = unlock(group, POINTS, {liar: lie, **{i: answers[i] for i in answers if i != liar}})
    assert list(unlocked.points) == truth
    assert list(unlocked.wrong) == [liar]
    assert liar not in unlocked.used


def test_an_answer_made_with_another_custodians_share_is_refused():
    group, _, answers = opened(5, 3)
    with pytest.raises(WrongAnswerError):
        threshold.check_partial(group.share(1), POINTS, answers[2].partials, answers[2].proof, 1)


def test_an_answer_to_another_question_is_refused():
    group, _, answers = opened(5, 3)
    asked = [*POINTS[:3], POINTS[3] + G]
    for points in (asked, POINTS[:3], POINTS[::-1]):
        with pytest.raises(WrongAnswerError):
            threshold.check_partial(
                group.share(1), points, answers[1].partials, answers[1].proof, 1
            )


def test_too_few_right_answers_open_nothing_and_the_liars_are_named():
    group, _, answers = opened(5, 3)
    lie = replace(answers[4], proof=answers[3].proof)
    with pytest.raises(ProofError, match=r"2 of the 3 .*custodian 4"):
        unlock(group, POINTS, {1: answers[1], 4: lie, 2: answers[2]})
    with pytest.raises(FormatError):
        unlock(group, POINTS, {9: answers[1]})


def test_only_as_many_answers_as_needed_are_checked():
    group, truth, answers = opened(5, 3)
    never_read = replace(answers[5], proof=b"")
    unlocked = unlock(group, POINTS, {1: answers[1], 2: answers[2], 4: answers[4], 5: never_read})
    assert unlocked.used == (1, 2, 4)
    assert unlocked.wrong == {}
    assert list(unlocked.points) == truth


@given(st.integers(0, 3), st.integers(1, N - 1))
@settings(max_examples=25)
def test_where_the_check_is_skipped_the_bid_still_does_not_open(at, shift):
    group, truth, answers = opened(5, 3)
    enc, ciphertext, _ = seal(group.recipient, b"info", b"aad", b"price", ephemeral=_key(at))
    assert Point.parse(enc) == POINTS[at]
    right = threshold.dh_x(truth[at])
    assert open_with_dh(right, enc, group.recipient, b"info", b"aad", ciphertext) == b"price"
    partials = {index: list(answers[index].partials) for index in (1, 3, 5)}
    partials[3][at] += shift * G
    wrong = threshold.dh_x(threshold.combine(partials, 3)[at])
    if wrong != right:  # -D has the same x: then it is no wrong value
        with pytest.raises(AuthenticationError):
            open_with_dh(wrong, enc, group.recipient, b"info", b"aad", ciphertext)


def _key(at: int):
    from crypto.signature import SigningKey

    return SigningKey.from_scalar(EPHEMERALS[at].scalar)


def test_answers_survive_json_and_nothing_else_does():
    _, _, answers = opened(3, 2)
    value = answers[1].to_json()
    assert Answer.from_json(value) == answers[1]
    for spoilt in (
        None,
        {},
        value | {"v": 2},
        value | {"v": True},
        value | {"more": 1},
        value | {"partials": 5},
        value | {"partials": "AAAA"},
        value | {"partials": value["partials"][:-4]},
        value | {"proof": "not base64"},
    ):
        with pytest.raises(FormatError):
            Answer.from_json(spoilt)


def test_uneven_and_misnumbered_answers_are_refused():
    with pytest.raises(FormatError):
        threshold.combine({1: POINTS, 2: POINTS[:1]}, 2)
    with pytest.raises(FormatError):
        threshold.combine({0: POINTS, 1: POINTS}, 2)
    with pytest.raises(ProofError):
        threshold.combine({1: POINTS}, 0)
    with pytest.raises(ProofError, match="cancel"):
        threshold.combine({1: POINTS, 2: [2 * q for q in POINTS]}, 2)
