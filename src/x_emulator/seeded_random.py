"""Random numbers as a pure function of a name: equal in every run and process.

There is no generator with a state, so results do not depend on the order of calls.
"""

import hashlib
import math
import struct
from statistics import NormalDist

_inverse_normal = NormalDist().inv_cdf
_WORDS = struct.Struct(">21I")


def uniforms(*name: object) -> list[float]:
    """Return 21 numbers in (0, 1), uniformly distributed over names."""
    digest = hashlib.blake2b("/".join(map(str, name)).encode(), digest_size=63).digest()
    words = bytearray(84)  # 21 four-byte words; each holds three bytes of the digest
    words[1::4], words[2::4], words[3::4] = digest[0::3], digest[1::3], digest[2::3]
    return [(word + 0.5) / 2.0**24 for word in _WORDS.unpack(words)]


def lognormal(sigma: float, uniform: float) -> float:
    """Return a log-normal factor with median 1, whose logarithm has deviation `sigma`."""
    return math.exp(sigma * _inverse_normal(uniform))


def poisson(mean: float, uniform: float) -> int:
    """Return a Poisson count; above a mean of 30, its normal approximation."""
    if mean > 30:
        return max(0, round(mean + math.sqrt(mean) * _inverse_normal(uniform)))
    term = cumulative = math.exp(-mean)
    if mean <= 0 or uniform <= cumulative:
        return 0
    count = 0
    while uniform > cumulative and count < 200:
        count += 1
        term *= mean / count
        cumulative += term
    return count


def alphanumerics(length: int, *name: object) -> str:
    """Return a string of letters and digits, as in a short link."""
    digest = hashlib.blake2b("/".join(map(str, name)).encode(), digest_size=length).digest()
    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return "".join(alphabet[byte % len(alphabet)] for byte in digest)
