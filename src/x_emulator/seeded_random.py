"""Random numbers as a pure function of a name: the same in every run and process.

No generator keeps a state, so the numbers do not depend on the order of calls.
"""

import hashlib
import math
import struct
from statistics import NormalDist

_inverse_normal = NormalDist().inv_cdf
_WORDS = struct.Struct(">21I")


def uniforms(*name: object) -> list[float]:
    """Return 21 numbers between 0 and 1 for a name.

    A name always gives the same numbers. Over many names, the numbers are uniformly distributed.
    """
    digest = hashlib.blake2b("/".join(map(str, name)).encode(), digest_size=63).digest()
    words = bytearray(84)  # Each of the 21 four-byte words holds three bytes of the digest.
    words[1::4], words[2::4], words[3::4] = digest[0::3], digest[1::3], digest[2::3]
    return [(word + 0.5) / 2.0**24 for word in _WORDS.unpack(words)]


def lognormal(sigma: float, uniform: float) -> float:
    """Return a log-normal factor with the median 1, for a uniformly distributed number.

    The standard deviation of the factor's logarithm is `sigma`.
    """
    return math.exp(sigma * _inverse_normal(uniform))


def poisson(mean: float, uniform: float) -> int:
    """Return a Poisson-distributed count, for a uniformly distributed number.

    Above a mean of 30, the normal approximation is used.
    """
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
    """Return letters and digits for a name, such as the end of a t.co link."""
    digest = hashlib.blake2b("/".join(map(str, name)).encode(), digest_size=length).digest()
    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return "".join(alphabet[byte % len(alphabet)] for byte in digest)
