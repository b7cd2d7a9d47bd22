"""A word to the bidder: the tender file that a bid is sealed for is not the newest any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clients.sdk.wire import RefusedError

if TYPE_CHECKING:
    from clients.sdk.wire import Centre


def overtaken(centre: Centre, section: str, version: int) -> str:
    """Says that the centre shows a later tender file than the one a bid is sealed for; "" if it does not.

    A word to the bidder only: such a bid is taken, for whether it still answers to the documents is the
    evaluation committee's to say (docs/adr), and one that is not handed in counts for nothing.
    """
    try:
        shown = centre.call("GET", f"/sections/{section}/tender.json")
    except RefusedError:
        return ""  # it shows none; whatever is wrong with the section, handing in will say
    said = shown.get("statement") if isinstance(shown, dict) else None
    newest = said.get("version") if isinstance(said, dict) else None
    if type(newest) is not int or newest <= version:
        return ""
    return (
        f"招标文件第 {version} 版之后已有第 {newest} 版；请阅读补遗，重新下载 tender.json 后用 --supersedes 替换投标 · "
        f"tender file version {version} was overtaken by version {newest}: read the "
        f"addenda and fetch tender.json. A bid for an older version is taken and marked in the "
        "opening record; to replace it before T, seal with the new file and --supersedes RECEIPT"
    )
