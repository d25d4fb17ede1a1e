"""Kernels for the tests of the nested VM."""

from __future__ import annotations

import struct


def bzimage(payload: bytes, magic: bytes = b"HdrS") -> bytes:
    """A kernel that is wrapped as Debian's are, with another payload."""
    head = bytearray(3 * 512)
    head[0x1F1] = 2
    head[0x202:0x206] = magic
    head[0x248:0x250] = struct.pack("<II", 16, len(payload) + 4)
    return bytes(head) + b"\0" * 16 + payload + struct.pack("<I", 6) + b"relocations"
