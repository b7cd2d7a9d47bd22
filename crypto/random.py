"""The one source of randomness of the whole house.

Everything random (keys, nonces, salts, identifiers) comes from `token`, hence from the operating
system, so that one function is to be judged and one is to be replaced in a simulation.
"""

import os


def token(n: int) -> bytes:
    """Return fresh random bytes from the operating system.

    Args:
        n: number of bytes, ≥ 0.

    Returns:
        `n` bytes fit for keys.
    """
    return os.urandom(n)
