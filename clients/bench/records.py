"""``bench records``: opening records of twelve rows drawn, finished as PDF/A-3b, and signed, per CPU second."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from clients.bench.report import Result
from clients.verbs import verb

if TYPE_CHECKING:
    from collections.abc import Callable

    from documents.model import OpeningFacts

T: Final = 1_795_482_000_000
"""Of the record: 2026-11-24 09:00 北京时间."""

DIGEST: Final = "5f" * 32


def facts(rows: int) -> OpeningFacts:
    """An opening of so many bids."""
    from documents.model import CustodyAnswer, Heading, Official, OpeningFacts, OpeningRow, Party

    def row(no: int) -> OpeningRow:
        name, code = f"岐江第{no}水利建设集团有限公司", f"91440000MA4W00{no:02}X{no % 10}"
        return OpeningRow(
            no=no, bidder=(Party(name=name, credit_code=code),), credit_code=code,
            submitted_at=T - 86_400_000 + no * 1_137, file_sha256=DIGEST, deposit="paid", unlock="opened",
            unlocked_at=T + 61_000 + no, total_price=f"{46_000_000 + no * 12_345}.40",
            duration_days=330 + no, quality="合格", project_manager="昇堃", signed_in_at=None, representative="欧阳喆", delegates=(),
            confirmation="confirmed", remark="",
        )  # fmt: skip

    heading = Heading(
        centre="bench", centre_name="岐江市公共资源交易中心", ruleset="演示", number="KB-2026-0117-KB",
        issued_at=T + 900_000, ledger_origin="bench/ledger/1", ledger_size=1482, ledger_root=DIGEST,
    )  # fmt: skip
    return OpeningFacts(
        heading=heading, tender="ten_bench", tender_name="石岐河东排渠整治工程（二期）施工",
        section="sec_bench", section_name="施工标段", deal_code="A02-91440000MA4W00007K-20261124-000117-3",
        tenderer="岐江水利建设管理中心", agent="粤衡招标代理有限公司", method="公开招标",
        control_price="48650000.00", float_point="0.75", opened_at=T, place="不见面开标大厅",
        document_version=1, unlock_mode="密钥托管人应答解密", threshold=3,
        custody=tuple(
            CustodyAnswer(index=n, organisation=f"第{n}托管机构", status="answered", at=T + n, detail="")
            for n in range(1, 6)
        ),
        outcome="opened", rows=tuple(row(no) for no in range(1, rows + 1)), excluded=(), confirmations=(),
        objections=(), pauses=(), reconvenings=(), sign_ins=(), deliveries=(), decisions=(), identity=(), mutings=(), messages=0,
        regime="works", officials=(Official(role="host", name="王珺玥"),),
        close_list_digest=DIGEST, closing_size=1441, closing_root=DIGEST, cosignatures=6,
    )  # fmt: skip


def per_second(work: Callable[[], object], seconds: float) -> float:
    """How often a work is done in a CPU second of this process."""
    work()  # fonts and templates are loaded once in a server's life
    begin = time.process_time()
    count = 0
    while time.process_time() - begin < seconds:
        work()
        count += 1
    return count / (time.process_time() - begin)


def measure(rows: int, seconds: float) -> Result:
    """Draws, finishes and signs for so many CPU seconds each."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    from documents.draw import draw, unsigned
    from documents.sign import sign
    from documents.signer import signer
    from documents.timestamp import DevelopmentTsa
    from trading.ground.ca import Authority
    from trading.ground.clock import FrozenClock

    told = facts(rows)
    slots = ("centre",)
    with tempfile.TemporaryDirectory(prefix="kaibiao-bench-") as place:
        authority = Authority(Path(place), "bench", told.heading.centre_name, FrozenClock(T))
        seal, stamp = authority.sealing(), authority.timestamp()
    who = signer("centre", told.heading.centre_name, seal.certificate, seal.key)
    at = told.heading.issued_at
    tsa = DevelopmentTsa(stamp.certificate, stamp.key, lambda: at)
    ready = unsigned(told, slots)
    drawn = per_second(lambda: draw(told, slots), seconds)
    finished = per_second(lambda: unsigned(told, slots), seconds)
    signed = per_second(
        lambda: sign(ready.pdf, ready.fields, (who,), tsa.stamp, ready.purpose, at), seconds
    )
    bare = per_second(lambda: seal.key.sign(ready.pdf, PKCS1v15(), SHA256()), seconds / 4)
    return Result(
        name="records",
        unit="finished as PDF/A-3b per CPU second",
        value=finished,
        yardsticks={
            "drawn per CPU second": drawn,
            "signatures B-T per CPU second": signed,
            "RSA-3072 signatures alone per CPU second": bare,
        },
        ratios={"signatures B-T / RSA alone, of which each has two": signed / (bare / 2)},
        notes=f"opening record of {rows} rows, {len(ready.pdf)} bytes; finishing includes drawing and validation",
    )


@verb
def command(
    rows: Annotated[int, typer.Option(min=1, help="bids of the opening")] = 12,
    seconds: Annotated[float, typer.Option(help="CPU seconds for each step")] = 4,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Records drawn, finished and signed."""
    measure(rows, seconds).tell(as_json=as_json)
