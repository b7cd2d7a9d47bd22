"""What the number of bids and the price formula may lead to, under each regime."""

from collections.abc import Sequence
from enum import StrEnum

from trading.model import MalformedError, Regime, RuleSet, UnlawfulError


class Next(StrEnum):
    """What follows when the bids are open."""

    NOT_OPENED = "not_opened"  # fewer than the minimum at T: 不得开标
    EVALUATE = "evaluate"
    EVALUATE_WITH_REASONS = "evaluate_with_reasons"  # 工: the report says why competition holds
    NO_EVALUATION = "no_evaluation"  # 采: fewer than three qualified, 不得评标


def after_opening(rules: RuleSet, *, at_deadline: int, remaining: int) -> Next:
    """Say what follows an opening.

    Args:
        rules: those the tender keeps.
        at_deadline: distinct bidders whose bids counted at T; a later 撤销 does not lower it.
        remaining: bidders left after decryption (采: after the qualification check).

    Source: 法 28, 条例 44, 1117号(十三); 87号令 41, 43, 44; law.md W11.
    """
    works = rules.regime is Regime.WORKS
    if at_deadline < rules["open.min_bidders" if works else "gp.open_min"].n:
        return Next.NOT_OPENED
    if remaining >= rules["eval.few_valid" if works else "gp.qualified_min"].n:
        return Next.EVALUATE
    return Next.EVALUATE_WITH_REASONS if works else Next.NO_EVALUATION


def check_price_formula(
    rules: RuleSet, *, weight: int, goods: bool, dropped: int, lowest_first: bool
) -> None:
    """Check the price part of a scoring method.

    Args:
        rules: those the tender keeps.
        weight: points of 100 for the price.
        goods: goods or services (采 only).
        dropped: how many highest and lowest prices the formula leaves out of its base.
        lowest_first: whether the base is the lowest responsive price.

    Raises:
        UnlawfulError: 采 with too low a weight, another base or dropped prices.

    Source: 87号令 55; under 招标投标法 the document decides.
    """
    if not 0 <= weight <= 100 or dropped < 0:
        raise MalformedError("weight-malformed", "分值不正确", "A weight is 0 to 100 points.")
    if rules.regime is not Regime.PROCUREMENT:
        return
    least = rules["gp.price_weight_goods" if goods else "gp.price_weight_services"]
    if weight < least.n:
        raise UnlawfulError(
            "price-weight-too-low",
            "价格分权重过低",
            f"{least.article} asks for at least {least.n} points; change the document.",
            rule=least.article,
            least=least.n,
        )
    trim = rules["gp.price_no_trim"]
    if dropped > trim.n or not lowest_first:
        raise UnlawfulError(
            "price-base-forbidden",
            "不得去掉最高报价和最低报价",
            f"{trim.article}: the base is the lowest responsive price and no price is dropped.",
            rule=trim.article,
        )


def lowest_price_scores(prices: Sequence[int], weight: int) -> list[int]:
    """Score prices by 低价优先法: base / price × weight, base = the lowest.

    Args:
        prices: responsive prices in 分, each > 0.
        weight: points.

    Returns:
        Points × 100, each rounded half up, in the order of `prices`.

    Source: 87号令 55.
    """
    if not prices or min(prices) <= 0:
        raise MalformedError("price-malformed", "报价不正确", "Prices are above zero.")
    base = min(prices)
    return [(2 * base * weight * 100 + price) // (2 * price) for price in prices]
