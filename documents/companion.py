"""Companion tables of the opening record: 签到表, 递交时间表, decisions, identity exceptions, talk, reconvening."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportlab.platypus import Flowable, Spacer

from documents import words
from documents.layout import Cell, Column, Heading, grid
from documents.typeface import SANS

if TYPE_CHECKING:
    from documents.model import OpeningFacts


def tables(facts: OpeningFacts) -> list[list[Flowable]]:
    """Return one section for each companion table that has a line; an empty one is left out."""
    made = (
        (facts.deliveries, _deliveries),
        (facts.sign_ins, _sign_ins),
        (facts.decisions, _decisions),
        (facts.identity, _identity),
        (facts.mutings, _mutings),
        (facts.reconvenings, _reconvenings),
    )
    return [[Spacer(1, 6), *draw(facts)] for lines, draw in made if lines]


def _deliveries(facts: OpeningFacts) -> list[Flowable]:
    return [
        Heading("投标文件递交时间表", "Every delivery, by arrival of its last byte"),
        grid(
            [
                Column("投标人", "Bidder", 84),
                Column("事项", "Act", 26, "center"),
                Column("到达时刻（北京时间）", "Arrived", 47, "center"),
                Column("密文 SHA-256", "Sealed file", 110),
            ],
            [
                [
                    one.bidder,
                    Cell(words.word(words.DELIVERY, one.act), align="center"),
                    words.moment(one.at),
                    Cell(words.hash_groups(one.sha256), font=SANS, size=7.2),
                ]
                for one in facts.deliveries
            ],
        ),
    ]


def _sign_ins(facts: OpeningFacts) -> list[Flowable]:
    return [
        Heading("投标人签到表", "Sign-in; absence voids nothing by itself"),
        grid(
            [
                Column("投标人", "Bidder", 150),
                Column("签到", "Sign-in", 40, "center"),
                Column("时刻（北京时间）", "At", 77, "center"),
            ],
            [
                [
                    one.bidder,
                    Cell(words.word(words.SIGN_IN, one.status), align="center"),
                    words.moment(one.at),
                ]
                for one in facts.sign_ins
            ],
        ),
    ]


def _decisions(facts: OpeningFacts) -> list[Flowable]:
    return [
        Heading("解密失败的认定", "Decisions by named persons about bids that did not open"),
        grid(
            [
                Column("投标人", "Bidder", 52),
                Column("检出", "Found", 30, "center"),
                Column("认定", "Decided", 22, "center"),
                Column("认定人", "By", 34),
                Column("时刻（北京时间）", "At", 40, "center"),
                Column("理由", "Reason", 47),
                Column("声明摘要 SHA-256", "Statement", 42),
            ],
            [
                [
                    one.bidder,
                    Cell(one.code, font=SANS, size=7.2, align="center"),
                    Cell(words.word(words.UNLOCK, one.verdict), align="center", tone="seal"),
                    Cell(one.by, small=words.word(words.ROLE, one.role)),
                    words.moment(one.at),
                    one.reason,
                    Cell(words.hash_groups(one.statement), font=SANS, size=6.4),
                ]
                for one in facts.decisions
            ],
        ),
    ]


def _identity(facts: OpeningFacts) -> list[Flowable]:
    return [
        Heading("身份核验例外", "Exceptions of identity"),
        grid(
            [
                Column("投标人", "Bidder", 84),
                Column("时刻（北京时间）", "At", 47, "center"),
                Column("情况", "What did not fit", 136),
            ],
            [[one.bidder, words.moment(one.at), one.text] for one in facts.identity],
        ),
    ]


def _mutings(facts: OpeningFacts) -> list[Flowable]:
    return [
        Heading("禁言", "Mutes; they stop messages, never an objection"),
        grid(
            [
                Column("对象", "Who", 84),
                Column("起", "From", 47, "center"),
                Column("止", "Until", 47, "center"),
                Column("原因", "Reason", 89),
            ],
            [
                [one.bidder, words.moment(one.since), words.moment(one.until), one.reason]
                for one in facts.mutings
            ],
        ),
    ]


def _reconvenings(facts: OpeningFacts) -> list[Flowable]:
    return [
        Heading("复会", "Reconvening, set by supervisor and centre"),
        grid(
            [
                Column("决定时刻", "Set at", 50, "center"),
                Column("复会时间", "For", 50, "center"),
                Column("原因", "Reason", 167),
            ],
            [
                [words.moment(one.set_at), words.moment(one.at), one.reason]
                for one in facts.reconvenings
            ],
        ),
    ]
