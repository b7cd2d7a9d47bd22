import json

import pytest

from crypto.canonical import canonical, parse
from documents.model import DocumentError, facts_from_json
from tests.documents import auction_samples, samples

KINDS = ("notice", "opening", "transcript", "confirmation")


@pytest.mark.parametrize("kind", KINDS)
def test_facts_come_back_from_their_record_json(kind):
    facts = auction_samples.BY_KIND[kind]()
    assert facts_from_json(parse(facts.record_json())) == facts


@pytest.mark.parametrize("kind", KINDS)
def test_every_record_says_version_purpose_suite_kind_centre_and_ruleset(kind):
    value = parse(auction_samples.BY_KIND[kind]().record_json())
    assert (value["v"], value["purpose"], value["kind"]) == (1, "record", kind)
    assert value["centre"] == value["heading"]["centre"] == samples.CENTRE
    assert value["suite"] == "PAdES-RSA3072-SHA256"
    assert value["heading"]["ruleset"] == "演示"


def test_record_json_is_canonical_and_holds_no_float():
    data = auction_samples.transcript().record_json()
    assert canonical(parse(data)) == data
    json.loads(data, parse_float=lambda text: pytest.fail(f"a float: {text}"))


def altered(**changes):
    value = samples.opening().to_json()
    value.update(changes)
    return value


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (altered(kind="notice"), "missing or unknown"),
        (altered(kind="poem"), "kind"),
        (altered(v=2), "version"),
        (altered(v=True), "version"),
        (altered(centre="elsewhere"), "version"),
        (altered(opened_at=1.5), "opened_at"),
        (altered(opened_at=True), "opened_at"),
        (altered(opened_at=None), "opened_at"),
        (altered(more=1), "more"),
        (altered(rows={}), "rows"),
        ([], "kind"),
    ],
)
def test_facts_that_do_not_fit_are_refused_by_name(value, named):
    with pytest.raises(DocumentError, match=named):
        facts_from_json(value)


def test_a_quorum_that_cannot_be_is_refused():
    value = samples.notice().to_json()
    value["threshold"] = 6
    with pytest.raises(DocumentError, match="quorum of 6"):
        facts_from_json(value)
