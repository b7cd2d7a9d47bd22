"""The one error by which a check says that it does not hold."""

from bidding.model import BiddingError


class RefusedError(BiddingError):
    """A check does not hold; the text becomes its detail."""

    def __init__(self, detail: str) -> None:
        super().__init__("release-refused", "托管人拒绝释放", detail)
