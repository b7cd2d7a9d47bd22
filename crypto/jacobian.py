"""P-256 arithmetic on public integers: Jacobian coordinates, sums of many multiples.

Everything here is variable-time and therefore for *public* points and scalars only: checking
proofs, combining partial decryptions. Whoever holds a secret scalar uses ``p256.Secret``, which
multiplies inside OpenSSL. Points are plain tuples, so that the inner loops stay fast:
``(x, y)`` affine, ``(x, y, z)`` Jacobian with ``z == 0`` for the point at infinity.

Source: SEC 2 §2.4.2 (the curve); the Explicit-Formulas Database, "Jacobian coordinates with
a4=-3", dbl-2001-b and add-2007-bl's plain form; Handbook of Applied Cryptography §14.6.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final

P: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
"""The field prime."""
N: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The prime order of the group; every affine point but infinity has this order."""
B: Final = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
"""The curve is y² = x³ - 3x + B."""

Affine = tuple[int, int]
Jacobian = tuple[int, int, int]
INFINITY: Final[Jacobian] = (1, 1, 0)

WIDTH: Final = 5
"""Window of the signed digits in `straus`: eight odd multiples per point."""
MANY: Final = 64
"""From so many points on, `buckets` beats `straus` (measured with 256-bit scalars)."""


def on_curve(x: int, y: int) -> bool:
    """Say whether canonical coordinates (0 ≤ x, y < P) satisfy the curve equation."""
    return 0 <= x < P and 0 <= y < P and (y * y - (x * x - 3) * x - B) % P == 0


def double(point: Jacobian) -> Jacobian:
    """Return twice a Jacobian point."""
    x, y, z = point
    if not z:
        return INFINITY
    delta = z * z % P
    gamma = y * y % P
    beta4 = 4 * x * gamma % P
    alpha = 3 * (x - delta) * (x + delta) % P
    x3 = (alpha * alpha - 2 * beta4) % P
    return x3, (alpha * (beta4 - x3) - 8 * gamma * gamma) % P, 2 * y * z % P


def add(left: Jacobian, right: Jacobian) -> Jacobian:
    """Return the sum of two Jacobian points, whatever they are."""
    x1, y1, z1 = left
    x2, y2, z2 = right
    if not z1:
        return right
    if not z2:
        return left
    zz1 = z1 * z1 % P
    zz2 = z2 * z2 % P
    u1 = x1 * zz2 % P
    s1 = y1 * zz2 * z2 % P
    h = (x2 * zz1 - u1) % P
    r = (y2 * zz1 * z1 - s1) % P
    if not h:
        return INFINITY if r else double(left)
    hh = h * h % P
    hhh = h * hh % P
    v = u1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return x3, (r * (v - x3) - s1 * hhh) % P, z1 * z2 * h % P


def add_affine(left: Jacobian, right: Affine) -> Jacobian:
    """Return the sum of a Jacobian and an affine point: a third cheaper than `add`."""
    x1, y1, z1 = left
    x2, y2 = right
    if not z1:
        return x2, y2, 1
    zz = z1 * z1 % P
    h = (x2 * zz - x1) % P
    r = (y2 * zz * z1 - y1) % P
    if not h:
        return INFINITY if r else double(left)
    hh = h * h % P
    hhh = h * hh % P
    v = x1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return x3, (r * (v - x3) - y1 * hhh) % P, z1 * h % P


def inverses(values: Sequence[int]) -> list[int]:
    """Invert non-zero field elements together, at three multiplications each (Montgomery)."""
    if not values:
        return []
    prefix = list(accumulate(values, lambda a, b: a * b % P, initial=1))
    running = pow(prefix[-1], -1, P)
    result = [0] * len(values)
    for i in range(len(values) - 1, -1, -1):
        result[i] = prefix[i] * running % P
        running = running * values[i] % P
    return result


def to_affine(points: Sequence[Jacobian]) -> list[Affine | None]:
    """Bring Jacobian points to affine form with one inversion in all; None stands for infinity."""
    inverted = iter(inverses([z for _, _, z in points if z]))
    result: list[Affine | None] = []
    for x, y, z in points:
        if not z:
            result.append(None)
            continue
        i = next(inverted)
        ii = i * i % P
        result.append((x * ii % P, y * ii * i % P))
    return result


def signed_digits(scalar: int, width: int = WIDTH) -> list[int]:
    """Return the non-adjacent form of a non-negative scalar: odd digits, lowest first.

    Of any ``width`` neighbouring digits at most one is not zero, and each is below 2^(width-1)
    in absolute value (HAC §14.6.1, "wNAF").
    """
    digits = []
    size, half = 1 << width, 1 << (width - 1)
    while scalar:
        digit = 0
        if scalar & 1:
            digit = scalar & (size - 1)
            if digit >= half:
                digit -= size
            scalar -= digit
        digits.append(digit)
        scalar >>= 1
    return digits


def odd_multiples(points: Iterable[Affine]) -> list[list[Affine]]:
    """Return [1·Q, 3·Q, … 15·Q] in affine form for each point Q, with one inversion in all."""
    count = 1 << (WIDTH - 2)
    flat: list[Jacobian] = []
    for x, y in points:
        multiple: Jacobian = (x, y, 1)
        twice = double(multiple)
        for _ in range(count):
            flat.append(multiple)
            multiple = add(multiple, twice)
    # The order N is an odd prime, so no small odd multiple of a point is infinity.
    affine = [q for q in to_affine(flat) if q is not None]
    return [affine[i : i + count] for i in range(0, len(affine), count)]


def straus(
    scalars: Sequence[int], tables: Sequence[Sequence[Affine]], width: int = WIDTH
) -> Jacobian:
    """Return Σ scalar·point by one shared ladder of doublings (Straus, "Shamir's trick").

    Args:
        scalars: non-negative integers, public.
        tables: for each, the `odd_multiples` of its point; with ``width`` 2 just the point.
        width: window of the signed digits, 2 to 5.
    """
    rows = [signed_digits(scalar, width) for scalar in scalars]
    steps: list[list[Affine]] = [[] for _ in range(max(map(len, rows), default=0))]
    for row, table in zip(rows, tables, strict=True):
        for i, digit in enumerate(row):
            if digit > 0:
                steps[i].append(table[digit >> 1])
            elif digit < 0:
                x, y = table[-digit >> 1]
                steps[i].append((x, P - y))
    total = INFINITY
    for step in reversed(steps):
        total = double(total)
        for point in step:
            total = add_affine(total, point)
    return total


def buckets(scalars: Sequence[int], points: Sequence[Affine]) -> Jacobian:
    """Return Σ scalar·point for many points (Pippenger): sort by digit, then sum the buckets.

    Args:
        scalars: non-negative integers below 2²⁵⁷, public.
        points: as many affine points.
    """
    width = max(4, min(10, len(points).bit_length() - 2))
    size, half = 1 << width, 1 << (width - 1)
    windows: list[list[Jacobian]] = []
    for scalar, (x, y) in zip(scalars, points, strict=True):
        plus, minus = (x, y), (x, P - y)
        rest, index = scalar, 0
        while rest:
            if index == len(windows):
                windows.append([INFINITY] * (half + 1))
            digit = rest & (size - 1)
            rest >>= width
            if digit > half:  # signed digits halve the number of buckets
                rest += 1
                row, place = windows[index], size - digit
                row[place] = add_affine(row[place], minus)
            elif digit:
                row = windows[index]
                row[digit] = add_affine(row[digit], plus)
            index += 1
    total = INFINITY
    for row in reversed(windows):
        for _ in range(width):
            total = double(total)
        # Σ d·row[d] by suffix sums: 2·half additions instead of half multiplications.
        suffix = window = INFINITY
        for bucket in reversed(row[1:]):
            suffix = add(suffix, bucket)
            window = add(window, suffix)
        total = add(total, window)
    return total


def sum_of_multiples(scalars: Sequence[int], points: Sequence[Affine]) -> Jacobian:
    """Return Σ scalar·point by whichever method is faster for so many points."""
    if len(points) < MANY:
        return straus(scalars, odd_multiples(points))
    return buckets(scalars, points)
