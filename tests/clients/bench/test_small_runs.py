"""Every benchmark of the centre runs, small: what it measures is real, its figures are of the contract's form."""

import json
import shutil
from pathlib import Path

import pytest

from clients.bench import auction, hall, native, opening, plot, records, restart, uploads
from clients.bench.report import Result
from clients.errors import UnfitError

needs_compiler = pytest.mark.skipif(
    shutil.which("cc") is None and shutil.which("gcc") is None, reason="no C compiler here"
)


def check_form(result: Result, name: str) -> None:
    body = json.loads(json.dumps(result.to_json()))
    assert set(body) == {"name", "unit", "value", "yardsticks", "ratios", "notes"}
    assert body["name"] == name
    assert body["value"] > 0
    assert all(value >= 0 for value in body["yardsticks"].values())
    assert all(value > 0 for value in body["ratios"].values())


@needs_compiler
def test_offers_are_decided_and_one_of_twenty_is_refused_by_the_engine():
    result = auction.measure(4, 20, 5, slow=False)
    check_form(result, "auction")
    assert result.yardsticks["accepted %"] == pytest.approx(95)
    assert result.yardsticks["p50 ms"] <= result.yardsticks["p99 ms"]


@needs_compiler
def test_the_curve_of_growth_is_data_and_a_picture(tmp_path):
    offers = 300  # enough that a fast machine's CPU for them is many ticks of its accounting
    result = auction.growth((1000,), 2, offers // 2, tmp_path)
    check_form(result, "auction growth")
    rows = json.loads((tmp_path / "growth.json").read_text("utf-8"))
    assert [row["rows"] for row in rows] == [1000]
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")


def test_a_curve_of_nothing_but_zeros_is_a_picture_too(tmp_path):
    plot.curve(tmp_path / "flat.png", [(1000, 0.0), (10_000, 0.0)], "rows", "cost")
    assert (tmp_path / "flat.png").read_bytes().startswith(b"\x89PNG")


@needs_compiler
def test_the_slow_disk_is_slow(tmp_path):
    rates = auction.commits(tmp_path, 0.3, {"LD_PRELOAD": str(native.slow_sync(tmp_path))})
    assert 0 < rates["raw"] < 500
    assert 0 < rates["single"] < 500


@needs_compiler
def test_every_watcher_of_a_small_hall_gets_every_frame():
    result = hall.measure(20, 2, 0.4)
    check_form(result, "hall")
    frames, _, offers = result.notes.split()[:3]
    assert int(frames) >= int(offers) == 2  # the end of a phase may be a frame of its own


def test_a_centre_starts_again_with_its_rows_and_its_offers():
    check_form(restart.measure(200, 1), "restart")


def test_twenty_bids_of_twenty_mebibytes_are_handed_in_together_in_bounded_memory():
    result = uploads.measure(20, 20 << 20, 20)
    check_form(result, "uploads")
    assert result.yardsticks["server's peak RSS in MiB"] <= 512


def test_records_are_drawn_finished_and_signed():
    check_form(records.measure(2, 0.1), "records")


def test_an_offer_that_was_not_heard_makes_no_figure():
    with pytest.raises(UnfitError):
        auction.read_answers([(1, 2, 1), (1, 2, 2)])
    with pytest.raises(UnfitError):
        auction.read_answers([])


def test_a_load_is_what_its_answers_say():
    said = auction.read_answers([(0, 10_000_000, 1), (5_000_000, 25_000_000, 0)])
    assert (said.answers, said.accepted, said.worst) == (2, 0.5, 20)
    assert said.rate == pytest.approx(80)


def test_the_sources_of_the_generators_are_where_they_are_looked_for():
    assert (Path(native.SOURCES) / "load.c").is_file()
    assert (Path(native.SOURCES) / "slow_sync.c").is_file()


def test_a_section_is_opened_from_its_close_to_its_reading_out():
    result = opening.measure(4, 50_000)
    check_form(result, "opening")
    parts = [value for name, value in result.yardsticks.items() if "reading" not in name]
    assert sum(parts) == pytest.approx(result.value)
