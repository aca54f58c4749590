"""ADB, the binary format of apk-tools 3, as apk-v3(5) describes it: values in a heap, and blocks around them.

What the manual leaves out, and apk's own writer does: a value that is there already is not stored twice; arrays are
tagged as objects; the heap's order is that of writing. So the bytes are those of `apk mkpkg` for the same input.
"""

import struct
import zlib

BLOCK_ADB, BLOCK_SIGNATURE, BLOCK_DATA = 0, 1, 2

NULL = 0
_INT, _INT32, _INT64 = 0x1 << 28, 0x2 << 28, 0x3 << 28
_BLOB8, _BLOB16, _BLOB32 = 0x8 << 28, 0x9 << 28, 0xA << 28
_OBJECT = 0xE << 28
_OFFSET = (1 << 28) - 1

_HEADER = struct.pack("<BBHI", 0, 0, 0, NULL)  # compatible with version 0, version 0, reserved, the root value


class Heap:
    """Where values are stored. Each method returns the value's slot: a type and a number, or a type and an offset."""

    def __init__(self) -> None:
        self._bytes = bytearray(_HEADER)
        self._known: dict[bytes, list[int]] = {}

    def integer(self, number: int) -> int:
        if number >= 1 << 32:
            return _INT64 | self._store(struct.pack("<Q", number), 4)
        if number >= 1 << 28:
            return _INT32 | self._store(struct.pack("<I", number), 4)
        return _INT | number

    def blob(self, value: bytes | str) -> int:
        data = value.encode() if isinstance(value, str) else value
        if not data:
            return NULL
        if len(data) < 1 << 8:
            return _BLOB8 | self._store(struct.pack("<B", len(data)) + data, 1)
        if len(data) < 1 << 16:
            return _BLOB16 | self._store(struct.pack("<H", len(data)) + data, 2)
        return _BLOB32 | self._store(struct.pack("<I", len(data)) + data, 4)

    def array(self, slots: list[int]) -> int:
        """Slots, counted (the count counts itself). Empty ones at the end are left out."""
        while slots and slots[-1] == NULL:
            slots = slots[:-1]
        if not slots:
            return NULL
        return _OBJECT | self._store(struct.pack(f"<{len(slots) + 1}I", len(slots) + 1, *slots), 4)

    def record(self, fields: dict[int, int]) -> int:
        """An object: slots by their field's number, from 1."""
        return self.array([fields.get(number, NULL) for number in range(1, max(fields, default=0) + 1)])

    def reserve(self, size: int) -> tuple[int, int]:
        """A blob of zeros that is shared with none, to be filled in later: its slot, and its content's offset."""
        offset = len(self._bytes)
        self._bytes += struct.pack("<B", size) + bytes(size)
        return _BLOB8 | offset, offset + 1

    def overwrite(self, offset: int, data: bytes) -> None:
        self._bytes[offset : offset + len(data)] = data

    def finish(self, root: int) -> bytes:
        """The payload of the ADB block."""
        struct.pack_into("<I", self._bytes, 4, root)
        return bytes(self._bytes)

    def _store(self, data: bytes, alignment: int) -> int:
        for offset in self._known.get(data, ()):
            if offset % alignment == 0:
                return offset
        self._bytes += bytes(-len(self._bytes) % alignment)
        offset = len(self._bytes)
        if offset + len(data) > _OFFSET:
            raise ValueError("an ADB block holds no more than 256 MiB")
        self._bytes += data
        self._known.setdefault(data, []).append(offset)
        return offset


def block(kind: int, payload: bytes) -> bytes:
    """A block: its kind in two bits and its length with these four bytes, the payload, zeros up to a multiple of 8."""
    raw = struct.pack("<I", kind << 30 | 4 + len(payload)) + payload
    return raw + bytes(-len(raw) % 8)


def file(schema: bytes, blocks: list[bytes]) -> bytes:
    """A whole file, compressed. The schema's four letters say what its root object is."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"ADBd" + deflate.compress(b"ADB." + schema + b"".join(blocks)) + deflate.flush()
