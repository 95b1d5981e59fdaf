"""Numbers drawn from a name: the same name draws the same numbers in every run and process.

There is no generator with a position in it, so nothing depends on the order of questions.
"""

import hashlib
import math
import struct
from statistics import NormalDist

_normal = NormalDist().inv_cdf
_WORDS = struct.Struct(">21I")


def uniforms(*name: object) -> list[float]:
    """21 numbers in (0, 1), spread evenly over names."""
    digest = hashlib.blake2b("/".join(map(str, name)).encode(), digest_size=63).digest()
    words = bytearray(84)  # each three bytes as the lower ones of a word of four
    words[1::4], words[2::4], words[3::4] = digest[0::3], digest[1::3], digest[2::3]
    return [(word + 0.5) / 2.0**24 for word in _WORDS.unpack(words)]


def lognormal(sigma: float, drawn: float) -> float:
    """A factor around 1: its median is 1, its logarithm has deviation `sigma`."""
    return math.exp(sigma * _normal(drawn))


def poisson(mean: float, drawn: float) -> int:
    """How many of many rare things happen: Poisson with this mean."""
    if mean > 30:
        return max(0, round(mean + math.sqrt(mean) * _normal(drawn)))
    term = left = math.exp(-mean)
    if mean <= 0 or drawn <= left:
        return 0
    happened = 0
    while drawn > left and happened < 200:
        happened += 1
        term *= mean / happened
        left += term
    return happened


def letters(length: int, *name: object) -> str:
    """A word of letters and digits, as in a short link."""
    digest = hashlib.blake2b("/".join(map(str, name)).encode(), digest_size=length).digest()
    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return "".join(alphabet[byte % len(alphabet)] for byte in digest)
