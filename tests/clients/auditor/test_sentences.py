"""What people are told of a check is Chinese first, English second; what machines read stays as it was."""

import re

import pytest

from clients.auditor import sentences
from clients.auditor.sentences import chinese, told
from clients.auditor.show import text
from documents.checks import Check, Report

HAN = re.compile("[\u4e00-\u9fff]")


def check(status, detail, title="签名成立 · signatures verify"):
    return Check("pdf.signatures", title, essential=True, status=status, detail=detail)


ALL = [("ok", one) for one in sentences.HOLDS] + [("not_checked", one) for one in sentences.LACKS]


@pytest.mark.parametrize(("status", "sentence"), ALL, ids=lambda one: getattr(one, "en", one)[:40])
def test_each_line_is_found_by_its_own_english_and_gives_its_chinese(status, sentence):
    facts = {name: f"{i + 1}7" for i, name in enumerate(re.findall(r"\{(\w+)\}", sentence.en))}
    said = chinese(check(status, sentence.en.format(**facts)))
    assert said == sentence.zh.format(**facts)
    assert HAN.search(said)


def test_a_detail_of_names_and_numbers_stands_alone():
    assert told(check("ok", "cus_0c1ec16d0fe59aad, wit_fa741090b3bca07f")) == (
        "cus_0c1ec16d0fe59aad, wit_fa741090b3bca07f"
    )
    assert told(check("ok", "")) == ""


def test_a_failure_says_in_chinese_what_does_not_hold_and_in_english_where():
    said = told(check("failed", "row 7: {braces} and {0} are nobody's"))
    assert said.startswith("“签名成立”一项不成立")
    assert said.endswith("· row 7: {braces} and {0} are nobody's")
    assert told(check("not_checked", "no leaf says so")).startswith(
        "“签名成立”一项未能核验 · no leaf"
    )


def test_a_failure_never_reads_like_a_success():
    assert told(check("failed", "nobody is accused")).startswith("“签名成立”一项不成立")


def test_the_report_for_people_has_both_and_the_contracts_json_has_one_string():
    report = Report(
        "x.pdf", (check("ok", "leaf 84 of 90, cosigned by 5 witnesses"), check("failed", "forged"))
    )
    lines = text(report).splitlines()
    assert lines[2].strip() == (
        "存证第 84 条，日志共 90 条，5 位见证人已联署 · leaf 84 of 90, cosigned by 5 witnesses"
    )
    assert lines[-1].startswith("  → 无效 INVALID: pdf.signatures: “签名成立”一项不成立")
    assert [one["detail"] for one in report.to_json()["checks"]] == [
        "leaf 84 of 90, cosigned by 5 witnesses",
        "forged",
    ]
