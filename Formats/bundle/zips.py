"""Reads zip files of which every byte is accounted for: entries, directory and end record follow each other without a
gap, and what is said twice is said alike. What other programs could see differently is a fault.
"""

import stat
import struct
import zlib

from fault import Fault, require

LOCAL, DIRECTORY, END = b"PK\3\4", b"PK\1\2", b"PK\5\6"
ENCRYPTED, DESCRIBED = 0x2041, 0x0008
UNIX = 3
EXTRA_NAME = 0x7075


def unpack(data, limit):
    """The entries in their order: the bytes of the name, whether it is a folder, and the content."""
    start, records = directory(data)
    entries, position = [], 0
    for record in sorted(records, key=lambda record: record["offset"]):
        require(record["offset"] == position, "archive/ambiguous")
        content, position = entry(data, record, limit)
        limit -= len(content)
        entries.append((record["name"], record["name"].endswith(b"/"), content))
    require(position == start, "archive/ambiguous")
    return entries


def directory(data):
    """Where the directory begins, and what it says."""
    end = data.rfind(END)
    require(end >= 0 and len(data) - end >= 22, "archive/truncated")
    disk, first, here, count, size, start, comment = struct.unpack("<HHHHIIH", data[end + 4:end + 22])
    require(comment == len(data) - end - 22 and disk == first == 0 and here == count, "archive/ambiguous")
    if data[max(0, end - 20):end][:4] == b"PK\6\7":
        raise NotImplementedError("zip files with 64-bit sizes")
    require(start + size == end, "archive/ambiguous")
    records, position = [], start
    for _ in range(count):
        require(position + 46 <= end and data[position:position + 4] == DIRECTORY, "archive/ambiguous")
        fields = struct.unpack("<BBHHHHHIIIHHHHHII", data[position + 4:position + 46])
        _, host, _, flags, method, _, _, checksum, packed, unpacked, name, extra, note, part, _, mode, offset = fields
        name_end = position + 46 + name
        position = name_end + extra + note
        require(position <= end, "archive/ambiguous")
        record = {
            "name": data[name_end - name:name_end], "flags": flags, "method": method, "checksum": checksum,
            "packed": packed,
            "unpacked": unpacked, "offset": offset}
        kind = stat.S_IFMT(mode >> 16) if host == UNIX else 0
        require(flags & ENCRYPTED == 0 and method in (0, 8) and part == 0, "archive/forbidden-entry")
        require(kind in (0, stat.S_IFDIR if record["name"].endswith(b"/") else stat.S_IFREG), "archive/forbidden-entry")
        require(b"\0" not in record["name"] and b"\\" not in record["name"], "archive/unsafe-name")
        require(EXTRA_NAME not in kinds(data[name_end:name_end + extra]), "archive/ambiguous")
        records.append(record)
    require(position == end, "archive/ambiguous")
    return start, records


def kinds(extra):
    """The kinds of the extra fields of an entry."""
    found = []
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        require(4 + size <= len(extra), "archive/ambiguous")
        found.append(kind)
        extra = extra[4 + size:]
    return found


def entry(data, record, limit):
    """The content of an entry, compared with the directory, and where it ends."""
    start = record["offset"]
    require(start + 30 <= len(data) and data[start:start + 4] == LOCAL, "archive/ambiguous")
    _, flags, method, _, _, checksum, packed, unpacked, name, extra = struct.unpack("<HHHHHIIIHH",
        data[start + 4:start + 30])
    if 0xFFFFFFFF in (packed, unpacked):
        raise NotImplementedError("zip files with 64-bit sizes")
    body = start + 30 + name + extra
    described = flags & DESCRIBED
    same = all(
        own == record[key] or (described and own == 0)
        for own, key in ((checksum, "checksum"), (packed, "packed"), (unpacked, "unpacked")))
    require(data[start + 30:start + 30 + name] == record["name"] and same, "archive/ambiguous")
    require((flags, method) == (record["flags"], record["method"]), "archive/ambiguous")
    end = body + record["packed"]
    require(end <= len(data), "archive/truncated")
    require(record["unpacked"] <= limit, "archive/limit")
    content = data[body:end] if method == 0 else inflated(data[body:end], record["unpacked"])
    require(len(content) == record["unpacked"] and zlib.crc32(content) == record["checksum"], "archive/damaged")
    return content, end + (description(data[end:end + 16], record) if described else 0)


def inflated(data, size):
    stream = zlib.decompressobj(-15)
    try:
        content = stream.decompress(data, size + 1)
    except zlib.error:
        raise Fault("archive/damaged") from None
    require(len(content) <= size and stream.eof and not stream.unused_data, "archive/damaged")
    return content


def description(data, record):
    """The length of the sizes behind an entry, which may have a signature."""
    sizes = struct.pack("<III", record["checksum"], record["packed"], record["unpacked"])
    for known in b"PK\7\x08" + sizes, sizes:
        if data.startswith(known):
            return len(known)
    raise Fault("archive/ambiguous")
