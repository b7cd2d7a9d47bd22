"""The model of an opening: a list of names, a few numbers, and the rules read aloud. It imports nothing of `bidding`."""

T = 1_773_104_400_000
ORDER = (
    "bidding", "closed", "control_price", "float_draw", "bidders_published", "unlocking",
    "imported", "reading_out", "confirming", "sealed",
)  # fmt: skip
ENDED = {"sealed", "failed_fewer_than_3", "failed_quorum", "terminated"}
UNLOCK, CONFIRM = 5_000, 3_000
BIDS = ("a", "b", "c")


class Model:
    """A list of names, a few numbers, and the rules read aloud."""

    def __init__(self) -> None:
        self.at = "bidding"
        self.end = 0  # of the running window
        self.unlock_end = 0
        self.pledge_end = 0
        self.disclose_end = 0
        self.pledged: set[str] = set()
        self.disclosed: set[str] = set()
        self.frozen: int | None = None
        self.answered: dict[str, str] = {}
        self.read = 0
        self.answers: dict[str, str] = {}
        self.open_objections: set[str] = set()
        self.undecided = False
        self.said: list[tuple[str, int]] = []
        self.muted: set[str] = set()
        self.date: int | None = None

    def talks(self, now: int) -> bool:
        """From the published bidders to the record, and when a sealed hall meets again."""
        if self.at == "sealed":
            return self.date is not None and now >= self.date
        return self.at in ORDER[4:9] or self.at in {"pledging", "disclosing"}

    def next(self, name: str, now: int) -> bool:
        """Whether the phase may become `name` by the order alone."""
        return (
            self.at not in ENDED
            and self.frozen is None
            and name in ORDER
            and self.at in ORDER
            and ORDER.index(name) == ORDER.index(self.at) + 1
        )

    def good(self) -> int:
        return sum(word in {"answered", "late"} for word in self.answered.values())
