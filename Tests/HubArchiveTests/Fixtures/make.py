"""Makes the archives beside it: good/ holds what must be read, bad/ what must be refused.

    python make.py      (needs GNU tar)

Every good archive holds a.txt ("hello\n") and folder/b.bin (3000 bytes of 7), and nothing else that counts.
"""
import gzip
import io
import pathlib
import shutil
import struct
import subprocess
import tarfile
import tempfile
import unicodedata
import zipfile
import zlib

HERE = pathlib.Path(__file__).parent
FILES = {"a.txt": b"hello\n", "folder/b.bin": b"\x07" * 3000}
DATE = (2020, 1, 1, 0, 0, 0)

for name in ("good", "bad"):
    shutil.rmtree(HERE / name, ignore_errors=True)
    (HERE / name).mkdir()


class Streamed(io.RawIOBase):
    """A file that cannot go back: the sizes come behind the data."""

    def __init__(self):
        self.data = b""

    def writable(self):
        return True

    def write(self, data):
        self.data += bytes(data)
        return len(data)


def zipped(files=FILES, method=zipfile.ZIP_DEFLATED, streamed=False, large=False, folders=(), system=3, comment=b"",
    extra=b""):
    output = Streamed() if streamed else io.BytesIO()
    with zipfile.ZipFile(output, "w", method) as archive:
        archive.comment = comment
        for name in folders:
            archive.writestr(zipfile.ZipInfo(name, DATE), b"")
        for name, data in (files.items() if isinstance(files, dict) else files):
            info = zipfile.ZipInfo(name, DATE)
            info.compress_type, info.create_system, info.extra = method, system, extra
            info.external_attr = 0x20 if system == 0 else 0o644 << 16
            with archive.open(info, "w", force_zip64=large) as file:
                file.write(data)
    return output.data if streamed else output.getvalue()


def tarred(files=FILES, format=tarfile.PAX_FORMAT, folders=(), prefix=""):
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=format) as archive:
        for name in folders:
            info = tarfile.TarInfo(name)
            info.type, info.mode = tarfile.DIRTYPE, 0o700
            archive.addfile(info)
        for name, data in files.items():
            info = tarfile.TarInfo(prefix + name)
            info.size, info.uname, info.mtime = len(data), "someone", 1.5
            archive.addfile(info, io.BytesIO(data))
    return output.getvalue()


def good(name, data):
    (HERE / "good" / name).write_bytes(data)


def bad(name, data, code):
    (HERE / "bad" / name).write_bytes(data)
    (HERE / "bad" / f"{name}.expected").write_text(code + "\n")


litter = {"__MACOSX/._a.txt": b"x", ".DS_Store": b"x", "folder/._b.bin": b"x"}
good("deflated.zip", zipped())
good("stored.zip", zipped(method=zipfile.ZIP_STORED))
good("streamed.zip", zipped(streamed=True))
good("streamed-large.zip", zipped(streamed=True, large=True))
good("zip64.zip", zipped(large=True))
good("dos.zip", zipped(system=0))
good("folders-comment.zip", zipped(folders=["folder/"], comment=b"a comment"))
good("macos.zip", zipped(files=FILES | litter))
good("pax.tar", tarred())
good("gnu.tar", tarred(format=tarfile.GNU_FORMAT, folders=["folder"]))
good("dots.tar", tarred(folders=["."], prefix="./"))
good("macos.tar", tarred(files=FILES | litter))
plain = tarred(format=tarfile.USTAR_FORMAT)
good("members.tar.gz", gzip.compress(plain[:700], mtime=0) + gzip.compress(plain[700:], mtime=0))

# Zip files that two programs may read differently.
base = zipped()
end = base.rindex(b"PK\x05\x06")
start = struct.unpack("<I", base[end + 16:end + 20])[0]


def moved(data, shift, directory=start):
    """The same end record with the directory so many bytes further on."""
    at = data.rindex(b"PK\x05\x06")
    return data[:at + 16] + struct.pack("<I", directory + shift) + data[at + 20:]


bad("behind-the-end.zip", base + b"x", "archive/ambiguous")
bad("in-front.zip", b"PK\x03\x04" + base, "archive/ambiguous")
bad("gap.zip", moved(base[:start] + b"gap!" + base[start:], 4), "archive/ambiguous")
hidden = zipped(files={"hidden": b"x"})
hidden = hidden[:hidden.index(b"PK\x01\x02")]
bad("hidden-entry.zip", moved(base[:start] + hidden + base[start:], len(hidden)), "archive/ambiguous")
bad("other-name.zip", base.replace(b"a.txt", b"z.txt", 1), "archive/ambiguous")
crc = struct.pack("<I", zlib.crc32(FILES["a.txt"]))
bad("wrong-checksum.zip", base.replace(crc, b"\1\2\3\4"), "archive/damaged")
bad("local-checksum.zip", base.replace(crc, b"\1\2\3\4", 1), "archive/ambiguous")
bad("count.zip", base[:end + 8] + b"\1\0\1\0" + base[end + 12:], "archive/ambiguous")
bad("parts.zip", base[:end + 4] + b"\1\0\1\0" + base[end + 8:], "archive/ambiguous")
bad("second-name.zip", zipped(extra=struct.pack("<HHBI", 0x7075, 9, 1, 0) + b"evil"), "archive/ambiguous")
bad("encrypted.zip",
    base.replace(b"PK\x03\x04\x14\0\0\0", b"PK\x03\x04\x14\0\1\0").replace(b"PK\x01\x02\x14\x03\x14\0\0\0",
        b"PK\x01\x02\x14\x03\x14\0\1\0"), "archive/forbidden-entry")
bad("bzip2.zip", zipped(method=zipfile.ZIP_BZIP2), "archive/forbidden-entry")
bad("twice.zip", zipped(files=[("a", b"1"), ("a", b"2")]), "archive/colliding-names")
bad("case.zip", zipped(files=[("a", b"1"), ("A", b"2")]), "archive/colliding-names")
bad("climbs.zip", zipped(files={"../a": b"1"}), "archive/unsafe-name")
bad("backslash.zip", zipped(files={"a\\b": b"1"}), "archive/unsafe-name")
bad("bomb.zip", zipped(files={"zeros": bytes(20 << 20)}), "archive/limit")

link = io.BytesIO()
with zipfile.ZipFile(link, "w") as archive:
    info = zipfile.ZipInfo("link", DATE)
    info.external_attr = 0o120777 << 16
    archive.writestr(info, "/etc/passwd")
bad("link.zip", link.getvalue(), "archive/forbidden-entry")

# Tar files.
bad("bomb.tar.gz", gzip.compress(tarred(files={"zeros": bytes(20 << 20)}), mtime=0), "archive/limit")
bad("checksum.tar.gz", gzip.compress(plain, mtime=0)[:-8] + b"\0" * 4 + gzip.compress(plain, mtime=0)[-4:],
    "archive/damaged")
bad("length.tar.gz", gzip.compress(plain, mtime=0)[:-4] + b"\0" * 4, "archive/damaged")
bad("behind.tar.gz", gzip.compress(plain, mtime=0) + b"xxxxxxxxxx", "archive/damaged")
bad("twice-compressed.tar.gz", gzip.compress(gzip.compress(plain, mtime=0), mtime=0), "archive/unknown-format")
raw = bytearray(tarred(files={"abc": b"x"}, format=tarfile.USTAR_FORMAT))
raw[0] = 0xFF
raw[148:156] = b"        "
raw[148:156] = b"%06o\0 " % sum(raw[:512])
bad("not-utf8.tar", bytes(raw), "archive/unsafe-name")
with tempfile.TemporaryDirectory() as folder:
    with open(f"{folder}/sparse", "wb") as file:
        file.seek(1 << 20)
        file.write(b"x")
    for format in ("gnu", "posix"):
        command = ["tar", "--sparse", f"--format={format}", "--mtime=@0", "--owner=0", "--group=0", "-C", folder, "-cf",
            "-", "sparse"]
        bad(f"sparse-{format}.tar", subprocess.run(command, check=True, capture_output=True).stdout,
            "archive/forbidden-entry")
bad("one-end-block.tar", plain[:plain.rindex(b"\x07") // 512 * 512 + 512] + bytes(512), "archive/truncated")
# Every character that full case folding (Unicode's CaseFolding, C and F) or normal form KC makes another of, and what
# they make.
characters = [chr(code) for code in range(0x80, 0x110000) if unicodedata.category(chr(code)) not in ("Cs", "Cn")]
pairs = [
    (character, unicodedata.normalize("NFC", other))
    for character in characters if unicodedata.is_normalized("NFC", character)
    for other in (character.casefold(), unicodedata.normalize("NFKC", character))]
(HERE / "alike.txt").write_text(
    "".join(f"{character}\t{other}\n" for character, other in dict.fromkeys(pairs) if other != character))
