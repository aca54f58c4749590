"""What is read of an ELF program: whom it is for, where its loaded part ends, and the names of what is in it."""

import struct

HEADER = {1: "HHIIIIIHHHHHH", 2: "HHIQQQIHHHHHH"}  # class: fields from e_type on
SEGMENT = {1: ("IIIIIIII", 1, 4), 2: ("IIQQQQQQ", 2, 5)}  # class: fields, which of them are p_offset and p_filesz
SECTION = {1: "10I", 2: "IIQQQQIIQQ"}
SYMBOL = {1: ("IIIBBH", 1, 2, 3), 2: ("IBBHQQ", 4, 5, 1)}  # class: fields, which are st_value, st_size and st_info
LOADED, INTERPRETER = 1, 3  # p_type
SYMBOL_TABLE, FUNCTION = 2, 2  # sh_type, the low bits of st_info


class Elf:
    """An ELF file. ValueError if it is none, or not whole."""

    def __init__(self, content):
        if content[:4] != b"\x7fELF" or content[4] not in HEADER or content[5] not in (1, 2):
            raise ValueError("is no ELF file")
        self.content, self.bits, self.order = content, content[4], "<>"[content[5] - 1]
        self.header = list(self._read(HEADER[self.bits], 16))

    def _read(self, fields, offset):
        try:
            return struct.unpack_from(self.order + fields, self.content, offset)
        except struct.error as error:
            raise ValueError("is cut off") from error

    def _table(self, fields, offset, size, count):
        return [self._read(fields, offset + index * size) for index in range(count)]

    @property
    def machine(self):
        """The processor, as e_machine numbers them."""
        return self.header[1]

    def _segments(self):
        _, _, _, _, phoff, _, _, _, phentsize, phnum, *_ = self.header
        return self._table(SEGMENT[self.bits][0], phoff, phentsize, phnum)

    def is_dynamic(self):
        """Whether it asks for a loader, and that for libraries."""
        return any(segment[0] == INTERPRETER for segment in self._segments())

    def loaded(self):
        """Only what the kernel loads: without the sections behind it and the section table."""
        _, _, _, _, phoff, _, _, ehsize, phentsize, phnum, *_ = self.header
        _, at_offset, at_size = SEGMENT[self.bits]
        segments = self._segments()
        ends = [each[at_offset] + each[at_size] for each in segments]
        end = max([ehsize, phoff + phentsize * phnum] + [e for each, e in zip(segments, ends) if each[0] == LOADED])
        if end > len(self.content):
            raise ValueError("ends before its last segment")
        header = list(self.header)
        header[5] = 0  # e_shoff
        header[10:] = 0, 0, 0  # e_shentsize, e_shnum, e_shstrndx
        kept = bytearray(self.content[:end])
        struct.pack_into(self.order + HEADER[self.bits], kept, 16, *header)
        # RISC-V has a segment of attributes that is not loaded, behind everything else. An empty entry stays of it.
        for index in (index for index, e in enumerate(ends) if e > end):
            start = phoff + phentsize * index
            kept[start : start + phentsize] = bytes(phentsize)
        return bytes(kept)

    def _sections(self):
        _, _, _, _, _, shoff, _, _, _, _, shentsize, shnum, _ = self.header
        return self._table(SECTION[self.bits], shoff, shentsize, shnum)

    def functions(self):
        """Name and size of each function; one place counts once, whatever names it has. Empty if it was stripped."""
        sections, found = self._sections(), {}
        for _, kind, _, _, offset, size, link, _, _, entry in sections:
            if kind != SYMBOL_TABLE:
                continue
            fields, value, length, info = SYMBOL[self.bits]
            names = sections[link][4]
            for symbol in self._table(fields, offset, entry, size // entry):
                if symbol[info] & 15 == FUNCTION and symbol[length]:
                    end = self.content.index(b"\0", names + symbol[0])
                    found[symbol[value]] = (self.content[names + symbol[0] : end].decode(), symbol[length])
        return list(found.values())
