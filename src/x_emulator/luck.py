"""Numbers drawn from a name: the same name draws the same number in every run and process.

There is no generator with a position in it, so nothing depends on the order of questions.
"""

import hashlib
import math
from statistics import NormalDist

_NORMAL = NormalDist()


def uniform(*name: object) -> float:
    """A number in (0, 1), spread evenly over names."""
    digest = hashlib.blake2b("/".join(map(str, name)).encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") + 0.5) / 2.0**64


def normal(*name: object) -> float:
    """A number of the standard normal distribution."""
    return _NORMAL.inv_cdf(uniform(*name))


def lognormal(sigma: float, *name: object) -> float:
    """A factor around 1: its median is 1, its logarithm has deviation `sigma`."""
    return math.exp(sigma * normal(*name))


def count(mean: float, *name: object) -> int:
    """How many of many rare things happen: Poisson with this mean."""
    if mean <= 0:
        return 0
    if mean > 50:
        return max(0, round(mean + math.sqrt(mean) * normal(*name)))
    left, happened = uniform(*name), 0
    term = math.exp(-mean)
    while left > term and happened < 200:
        left -= term
        happened += 1
        term *= mean / happened
    return happened


def letters(length: int, *name: object) -> str:
    """A word of letters and digits, as in a short link."""
    digest = hashlib.blake2b("/".join(map(str, name)).encode(), digest_size=length).digest()
    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return "".join(alphabet[byte % len(alphabet)] for byte in digest)
