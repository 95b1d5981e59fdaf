"""How the key frames of an H.264 video in MP4 are coded, read from their NAL units.

Source: ITU-T H.264, 7.3.1 (NAL unit), 7.3.3 (slice header), 7.4.2.4 (IDR); ISO/IEC 14496-15 (avcC).
"""

from collections.abc import Iterator, Sequence
from typing import Final

_SLICE, _IDR_SLICE = 1, 5
_INTRA_SLICES: Final = frozenset({2, 4, 7, 9})


def is_open(packets: Sequence[tuple[bool, bytes]], config: bytes | None) -> bool:
    """Whether a group of pictures is open: it begins with a key frame that is no IDR.

    Pictures after such a one may need those before it. `packets` are the key frame and the one
    stored next, each with whether the file calls it a key frame. A video that has key frames only
    is not meant, nor one that calls every picture so.
    """
    if len(packets) < 2:
        return False
    (is_key, key), (next_is_key, _) = packets[:2]
    if not is_key or next_is_key:
        return False
    slices = [unit for unit in _units(key, config) if unit[0] & 31 in (_SLICE, _IDR_SLICE)]
    return bool(slices) and slices[0][0] & 31 == _SLICE and _is_intra(slices[0])


def _units(packet: bytes, config: bytes | None) -> Iterator[bytes]:
    """The NAL units of a packet, each behind its length; `config` says how long that is."""
    size = (config[4] & 3) + 1 if config and len(config) > 4 else 4
    at = 0
    while at + size < len(packet):
        length = int.from_bytes(packet[at : at + size], "big")
        at += size
        if length:
            yield packet[at : at + length]
        at += length


def _is_intra(unit: bytes) -> bool:
    """Whether a slice needs no other picture; its type is the second number of its header."""
    bits = "".join(f"{byte:08b}" for byte in unit[1:17])
    _, bits = _take_number(bits)
    slice_type, _ = _take_number(bits)
    return slice_type in _INTRA_SLICES


def _take_number(bits: str) -> tuple[int, str]:
    """An Exp-Golomb number from the front (H.264, 9.1), and the rest."""
    zeros = len(bits) - len(bits.lstrip("0"))
    end = 2 * zeros + 1
    return int(bits[zeros:end] or "1", 2) - 1, bits[end:]
