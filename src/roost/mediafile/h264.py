"""Detect open groups of pictures in an H.264 video in MP4, from its NAL units.

Source: ITU-T H.264, 7.3.1 (NAL unit), 7.3.3 (slice header), 7.4.2.4 (IDR); ISO/IEC 14496-15 (avcC).
"""

from collections.abc import Iterator, Sequence
from typing import Final

_SLICE, _IDR_SLICE = 1, 5
_INTRA_SLICES: Final = frozenset({2, 4, 7, 9})


def has_open_gop(packets: Sequence[tuple[bool, bytes]], config: bytes | None) -> bool:
    """Return whether a group of pictures is open: its key frame is not an IDR frame.

    Frames of an open group may depend on frames before the group's key frame. `packets` are the key
    frame and the frame that is stored next, each with the file's key frame flag. If the next frame
    is a key frame too, as in a video that has only key frames, the result is False.
    """
    if len(packets) < 2:
        return False
    (is_key, key), (next_is_key, _) = packets[:2]
    if not is_key or next_is_key:
        return False
    slices = [unit for unit in _units(key, config) if unit[0] & 31 in (_SLICE, _IDR_SLICE)]
    return bool(slices) and slices[0][0] & 31 == _SLICE and _is_intra(slices[0])


def _units(packet: bytes, config: bytes | None) -> Iterator[bytes]:
    """Yield the NAL units of a packet.

    `config` (the avcC box) states the size of the length field before each unit.
    """
    size = (config[4] & 3) + 1 if config and len(config) > 4 else 4
    at = 0
    while at + size < len(packet):
        length = int.from_bytes(packet[at : at + size], "big")
        at += size
        if length:
            yield packet[at : at + length]
        at += length


def _is_intra(unit: bytes) -> bool:
    """Return whether a slice depends on no other frame.

    The second number of the slice header is the type of the slice, which determines this.
    """
    bits = "".join(f"{byte:08b}" for byte in unit[1:17])
    _, bits = _take_number(bits)
    slice_type, _ = _take_number(bits)
    return slice_type in _INTRA_SLICES


def _take_number(bits: str) -> tuple[int, str]:
    """Return the Exp-Golomb number (H.264, 9.1) at the start of `bits`, and the other bits."""
    zeros = len(bits) - len(bits.lstrip("0"))
    end = 2 * zeros + 1
    return int(bits[zeros:end] or "1", 2) - 1, bits[end:]
