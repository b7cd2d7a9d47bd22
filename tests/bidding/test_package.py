"""The package: one byte form, read in one pass, trusted only when everything fits."""

import io
import tarfile
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidding.model import FileEntry, Manifest, PackageError, SummaryField, TooLargeError
from bidding.model.tender import DEFAULT_LIMITS
from bidding.package import Expected, Source, Unpacker, check_name, pack
from bidding.package import tar as form
from bidding.package.summary import check_summary, field_named
from crypto import statement
from crypto.canonical import canonical
from crypto.signature import SigningKey

CENTRE = "test-centre"
KEY = SigningKey.generate()
OTHER = SigningKey.generate()
FIELDS = tuple(map(field_named, ("total_price", "duration_days", "quality")))
SUMMARY = {"total_price": "46382715.40", "duration_days": "340", "quality": "合格"}
FILES = {
    "投标函.pdf": b"%PDF-1.7\n" * 99,
    "priced/清单.xml": b"",
    "plan.pdf": bytes(range(256)) * 8,
}


class Memory:
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self._name = ""

    def begin(self, name: str, size: int) -> None:
        self._name = name
        self.files[name] = b""

    def write(self, data: memoryview) -> None:
        self.files[self._name] += bytes(data)

    def end(self) -> None:
        pass


def manifest(**changes: object) -> Manifest:
    base = Manifest(
        tender="ten_a", section="sec_a", envelope="whole", bidder="org_a", parties=("org_a",),
        summary=SUMMARY, files=(),
    )  # fmt: skip
    return replace(base, **changes)


def expected(**changes: object) -> Expected:
    base = Expected(
        centre=CENTRE, tender="ten_a", section="sec_a", bidder="org_a", parties=("org_a",),
        key=KEY.public, fields=FIELDS,
    )  # fmt: skip
    return replace(base, **changes)


def sources(files: dict[str, bytes]) -> list[Source]:
    return [Source(name, len(data), lambda data=data: [data]) for name, data in files.items()]


def packed(files=FILES, key=KEY, centre=CENTRE, **changes: object) -> bytes:
    sign = lambda body: statement.sign(key, "manifest", centre, body)  # noqa: E731
    return b"".join(pack(sources(files), manifest(**changes), sign))


def unpack(data: bytes, step: int = 1 << 20, **changes: object):
    sink = Memory()
    reader = Unpacker(expected(**changes), sink)
    for i in range(0, len(data), step):
        reader.write(data[i : i + step])
    return reader.finish(), sink.files


def code(data: bytes, **changes: object) -> str:
    with pytest.raises(PackageError) as caught:
        unpack(data, **changes)
    return caught.value.code


@pytest.mark.parametrize("step", [1, 511, 512, 513, 65536])
def test_what_was_packed_comes_out_whatever_the_chunks(step: int) -> None:
    result, files = unpack(packed(), step)
    assert files == FILES
    assert result.summary == SUMMARY
    assert [f.name for f in result.manifest.files] == list(FILES)


def test_a_stock_tar_reads_the_package() -> None:
    with tarfile.open(fileobj=io.BytesIO(packed()), mode="r:") as archive:
        assert archive.getnames() == [*FILES, "manifest.json"]
        assert {m.name: set(m.pax_headers) for m in archive} == {
            "投标函.pdf": {"path"}, "priced/清单.xml": {"path"}, "plan.pdf": set(),
            "manifest.json": set(),
        }  # fmt: skip
        assert archive.extractfile("plan.pdf").read() == FILES["plan.pdf"]


def test_packing_twice_gives_the_same_bytes_but_for_the_signature() -> None:
    one, two = packed(), packed()
    cut = one.index(b"manifest.json")
    assert one[:cut] == two[:cut]


@given(st.data())
def test_one_flipped_bit_anywhere_is_refused(data: st.DataObject) -> None:
    whole = bytearray(packed({"a.txt": b"x" * 700}))
    at = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[at // 8] ^= 1 << at % 8
    with pytest.raises(PackageError):
        unpack(bytes(whole))


@given(st.integers(0, 10_000))
def test_every_truncation_is_refused(cut: int) -> None:
    whole = packed({"a.txt": b"x" * 700})
    with pytest.raises(PackageError):
        unpack(whole[: cut % len(whole)])


@pytest.mark.parametrize("tail", [b"\0", bytes(512), b"x"])
def test_not_a_byte_may_follow_the_two_zero_blocks(tail: bytes) -> None:
    assert code(packed() + tail) == "package-trailing"


def test_blocks_swapped_doubled_or_dropped_are_refused() -> None:
    whole = packed({"a": b"1" * 512, "b": b"2" * 512})
    blocks = [whole[i : i + 512] for i in range(0, len(whole), 512)]
    for changed in (
        [*blocks[2:4], *blocks[:2], *blocks[4:]],
        blocks[2:],
        [*blocks[:2], *blocks],
        [blocks[0], blocks[3], blocks[2], blocks[1], *blocks[4:]],
    ):
        assert code(b"".join(changed)) in {"package-hash", "package-name-twice"}


def test_each_reason_has_its_own_code() -> None:
    whole = packed()
    assert code(whole, section="sec_b") == "package-foreign-section"
    assert code(whole, tender="ten_b") == "package-foreign-section"
    assert code(whole, bidder="org_b") == "package-foreign-bidder"
    assert code(whole, parties=("org_a", "org_c")) == "package-foreign-bidder"
    assert code(whole, key=OTHER.public) == "package-signature"
    assert code(packed(key=OTHER)) == "package-signature"
    assert code(packed(centre="another-centre")) == "package-signature"
    assert code(whole, limits=replace(DEFAULT_LIMITS, files=2)) == "package-too-large"
    assert code(whole, limits=replace(DEFAULT_LIMITS, bid_bytes=100)) == "package-too-large"
    assert code(packed(summary={"total_price": "1"})) == "summary-fields"
    assert code(packed(summary={**SUMMARY, "total_price": "１"})) == "summary-value"
    assert code(b"") == "package-truncated"
    unpack(whole)  # control


def test_a_manifest_that_lists_another_file_is_refused() -> None:
    lying = (FileEntry(name="a", size=1, sha256="0" * 64),)
    body = manifest(files=lying).to_body()
    text = canonical(statement.sign(KEY, "manifest", CENTRE, body))
    data = form.header("a", 1) + b"x" + bytes(511)
    data += form.header("manifest.json", len(text)) + text + bytes(form.padding(len(text)))
    assert code(data + form.END) == "package-hash"


def test_a_manifest_first_or_twice_is_refused() -> None:
    whole = packed({"a": b"x"})
    first, rest = whole[:1024], whole[1024:-1024]
    assert code(rest + first + form.END) == "package-malformed"
    assert code(first + rest + rest + form.END) == "package-malformed"


def test_other_tar_dialects_are_refused() -> None:
    for dialect in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        target = io.BytesIO()
        with tarfile.open(fileobj=target, mode="w", format=dialect) as archive:
            info = tarfile.TarInfo("a")
            info.mtime = 1
            archive.addfile(info, io.BytesIO(b""))
        assert code(target.getvalue()) == "package-malformed"


HOSTILE = [
    "", "/etc/passwd", "../x", "a/../b", "a//b", ".", "a/.", "a\0b", "a\nb", "a\\b", "x" * 256,
    "投" * 86, "manifest.json", "Manifest.JSON", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_is_refused_when_packing_and_when_unpacking(name: str) -> None:
    with pytest.raises(PackageError) as caught:
        check_name(name)
    assert caught.value.code == "package-name"
    with pytest.raises(PackageError):
        packed({name: b""})


@pytest.mark.parametrize("name", ["../x", "/abs", "a/../b"])
def test_a_hand_made_header_with_a_hostile_name_is_refused(name: str) -> None:
    assert code(form.header(name, 0)) == "package-name"


def test_names_that_differ_only_in_case_or_form_are_one_name() -> None:
    with pytest.raises(PackageError):
        packed({"A.pdf": b"", "a.PDF": b""})
    one, two = form.header("A.pdf", 0), form.header("a.PDF", 0)
    assert code(one + two) == "package-name-twice"


def test_display_names_are_kept_as_they_are() -> None:
    odd = {"CON": b"1", "㛃䶮 投标.pdf": b"2", "a\u202egpj.exe": b"3", "𬭚.pdf": b"4"}
    assert unpack(packed(odd))[1] == odd


def test_a_file_that_changes_while_it_is_packed_is_refused() -> None:
    for wrong in (b"", b"xx"):
        with pytest.raises(PackageError) as caught:
            b"".join(pack([Source("a", 1, lambda w=wrong: [w])], manifest(), dict))
        assert caught.value.code == "package-file-changed"


def test_bounds_hold_when_packing() -> None:
    with pytest.raises(PackageError):
        packed({})
    with pytest.raises(TooLargeError):
        packed({f"f{i}": b"" for i in range(201)})


def test_a_parser_bomb_is_refused_at_once() -> None:
    huge = form.header("manifest.json", 8**11 - 1)
    assert code(huge) == "package-malformed"


@given(st.binary(max_size=3000))
def test_foreign_bytes_never_raise_anything_else(data: bytes) -> None:
    with pytest.raises(PackageError):
        unpack(data)


HOSTILE_NUMBERS = [
    "NaN", "Infinity", "-1", "+1", "1e5", "0x10", "１２３", "١٢٣", "1_000", "1,000", "01", ".5",
    "5.", "1.234", "0", "0.00", " 1", "1 ", "9" * 16, "9" * 5000, "", "true", "null",
]  # fmt: skip


@pytest.mark.parametrize("number", HOSTILE_NUMBERS, ids=range(len(HOSTILE_NUMBERS)))
def test_a_hostile_price_is_refused(number: str) -> None:
    field = SummaryField(name="total_price", title="投标总价", kind="amount", unit="元")
    with pytest.raises(PackageError) as caught:
        check_summary({"total_price": number}, [field])
    assert caught.value.code == "summary-value"
    if len(number) > 5:
        assert number not in str(caught.value)


def test_the_summary_comes_out_in_the_order_of_the_section() -> None:
    turned = dict(reversed(SUMMARY.items()))
    assert list(check_summary(turned, FIELDS)) == [f.name for f in FIELDS]
