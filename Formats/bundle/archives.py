"""Reads the archives that a bundle may be packed in, and judges the names in them, by the specification
(v1/README.md)."""

import re
import unicodedata
import zlib

import zips
from fault import Fault, require

try:
    from compression import zstd
except ImportError:
    zstd = None

MAXIMUM = 2 << 30
ENTRIES = 4096
WINDOW = 23

# Names of files


def check_name(name):
    require(len(name.encode()) <= 1024, "archive/limit")
    components = name.split("/")
    require(len(components) <= 8, "archive/limit")
    for part in components:
        require(len(part.encode()) <= 255, "archive/limit")
        require(part not in ("", ".", "..") and part == part.strip() and not part.endswith("."), "archive/unsafe-name")
        require(not set(part) & set("\\:~"), "archive/unsafe-name")
        require(all(unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn") for c in part),
            "archive/unsafe-name")
    require(unicodedata.normalize("NFC", name) == name, "archive/unsafe-name")


def check_collisions(names):
    """No two files may be one where case does not count, and no file a folder of another."""
    def key(name):
        return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())

    files = [key(name) for name in names]
    spelled = {name.rsplit("/", count)[0] for name in names for count in range(1, name.count("/") + 1)}
    folders = {key(folder) for folder in spelled}
    require(len(set(files)) == len(files) and len(folders) == len(spelled) and not folders & set(files),
        "archive/colliding-names")


# Archives


def unpack(data):
    """The entries of a packed bundle, in order."""
    if data[:2] == b"PK":
        return [(decoded(name), is_folder, content) for name, is_folder, content in zips.unpack(data, MAXIMUM)]
    if data[:4] == b"\x28\xb5\x2f\xfd":
        if zstd is None:
            raise NotImplementedError("this Python reads no zstd")
        return untar(decompressed(data, zstd_stream))
    return untar(decompressed(data, lambda: zlib.decompressobj(31)) if data[:2] == b"\x1f\x8b" else data)


def zstd_stream():
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: WINDOW})


def decompressed(data, stream_of):
    """What streams, one behind another, decompress to."""
    result = b""
    while data:
        stream = stream_of()
        try:
            result += stream.decompress(data, MAXIMUM + 1 - len(result))
        except (zlib.error, *([zstd.ZstdError] if zstd else [])):
            raise Fault("archive/damaged") from None
        require(len(result) <= MAXIMUM, "archive/limit")
        require(stream.eof, "archive/truncated")
        data = stream.unused_data
    return result


def untar(data):
    """The entries of a plain tar file."""
    require(len(data) <= MAXIMUM, "archive/limit")
    entries, position, extended = [], 0, None
    while True:
        block = data[position:position + 512]
        require(len(block) == 512, "archive/truncated" if entries else "archive/unknown-format")
        if not any(block):
            break
        require(is_header(block), "archive/damaged" if entries else "archive/unknown-format")
        kind, size = block[156:157], octal(block[124:136])
        start, position = position + 512, position + 512 + (size + 511) // 512 * 512
        require(position <= len(data), "archive/damaged")
        content = data[start:start + size]
        if kind == b"x" and extended is None:
            extended = pax(content)
            continue
        require(kind in (b"0", b"\0", b"5"), "archive/forbidden-entry")
        name = (extended or {}).get("path", header_name(block))
        require(set(extended or {}) <= {"path"}, "archive/forbidden-entry")
        extended = None
        entries.append((decoded(name), kind == b"5", content))
        require(len(entries) <= ENTRIES, "archive/limit")
    rest = data[position:]
    require(len(rest) >= 1024 and len(rest) % 512 == 0 and extended is None, "archive/truncated")
    require(not any(rest), "archive/damaged")
    return entries


def is_header(block):
    total = sum(block) - sum(block[148:156]) + 8 * 32
    return block[257:262] == b"ustar" and octal(block[148:156]) == total


def octal(field):
    # The number ends at a space or NUL; what is behind it is not part of it.
    match = re.fullmatch(rb" *([0-7]*)([ \0][0-7 \0]*)?", field)
    require(match, "archive/damaged")
    return int(match[1] or b"0", 8)


def header_name(block):
    name, prefix = (field.split(b"\0")[0] for field in (block[:100], block[345:500]))
    return prefix + b"/" + name if prefix else name


def pax(content):
    records = {}
    while content:
        match = re.match(rb"(\d{1,6}) ([^=]+)=", content)
        require(match, "archive/damaged")
        length = int(match[1])
        require(match.end() < length <= len(content) and content[length - 1:length] == b"\n", "archive/damaged")
        key = match[2].decode(errors="replace")
        require(key not in records, "archive/ambiguous")
        records[key] = content[match.end():length - 1]
        content = content[length:]
    return records


def decoded(name):
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise Fault("archive/unsafe-name") from None
