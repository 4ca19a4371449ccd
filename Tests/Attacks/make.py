"""Hostile adapters by group, and odd ones that are right: each a file made from one good adapter by one change."""

import gzip
import io
import json
import pathlib
import struct
import tarfile
import zipfile

FIXTURE = pathlib.Path(__file__).resolve().parent.parent / "HubRegistryTests" / "Fixtures" / "classifier"
GOOD = {path.name: path.read_bytes() for path in sorted(FIXTURE.iterdir())}
WEIGHTS = "adapter.safetensors"


def zipped(files, compression=zipfile.ZIP_DEFLATED, comment=b""):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content, compression)
        archive.comment = comment
    return data.getvalue()


def tarred(files, extra=(), form=tarfile.PAX_FORMAT):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=form) as archive:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        for entry in extra:
            archive.addfile(entry)
    return data.getvalue()


def special(name, kind, target=""):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


def changed(**files):
    """The good files with some replaced, whose names have `__` for the dot."""
    return list((GOOD | {name.replace("__", "."): content for name, content in files.items()}).items())


def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def bomb_of_zip(files):
    data = io.BytesIO(zipped(files))
    with zipfile.ZipFile(data, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("zeros", "w") as zeros:
        for _ in range(300):
            zeros.write(bytes(1 << 20))
    return data.getvalue()


def header_of_zeros():
    entry = tarfile.TarInfo("zeros")
    entry.size = 300 << 20
    return entry.tobuf(tarfile.USTAR_FORMAT)


def attacks(canary):
    """Group, name, bytes. Whatever runs code makes the file `canary`."""
    good = list(GOOD.items())
    config = json.loads(GOOD["adapter_config.json"])
    for name in "../evil", "/tmp/evil", "a/../../evil", "..\\evil", "C:evil", "evil\u202e", "a//b", "~/evil", "a" * 300, "x/" * 40 + "x":
        yield "path", f"tar {name[:12]!r}", tarred(good + [(name, b"x")])
        yield "path", f"zip {name[:12]!r}", zipped(good + [(name, b"x")])
    yield "path", "zip not in form C", zipped(good + [("e\u0301", b"x")])
    for first, second in ("a", "A"), ("ß", "ss"), ("K", "\u212a"), ("same", "same"), ("folder", "folder/file"):
        yield "collision", f"{first} and {second}", tarred(good + [(first, b"x"), (second, b"y")])
    for kind, word in (tarfile.SYMTYPE, "link"), (tarfile.LNKTYPE, "hard link"), (tarfile.CHRTYPE, "device"), (tarfile.FIFOTYPE, "pipe"):
        yield "type", word, tarred(good, [special("evil", kind, "/etc/passwd")])
    yield "bomb", "zip", bomb_of_zip(good)
    yield "bomb", "gzip", gzip.compress(header_of_zeros()) + 300 * gzip.compress(bytes(1 << 20))
    yield "bomb", "entries", zipped(good + [(f"f{number}", b"") for number in range(5000)], zipfile.ZIP_STORED)
    whole = zipped(good)
    for cut in 1, 4, 22, len(whole) // 2:
        yield "framing", f"zip cut by {cut}", whole[:-cut]
    yield "framing", "zip and more", whole + b"more"
    yield "framing", "zip behind something", b"MZ" + whole
    yield "framing", "zip in a zip's comment", zipped(good, comment=zipped([("a", b"b")]))
    yield "framing", "tar cut", tarred(good)[:-10240]
    yield "framing", "gzip twice", gzip.compress(gzip.compress(tarred(good)))
    yield "framing", "nothing", b""
    yield "framing", "cpio", b"070701" + b"0" * 200
    for name, text in {
        "twice a key": b'{"config": {}, "config": {}}', "deep": b"[" * 200_000, "NaN": b'{"config": NaN}', "not UTF-8": b'{"a": "\xff"}',
        "huge number": b'{"config": 1' + b"0" * 500_000 + b"}", "comment": b"{} // no", "array": b"[]", "empty": b"", "lone surrogate": b'{"a": "\\ud800"}',
    }.items():
        yield "json", name, zipped(changed(adapter_config__json=text))
    for key, value in {"reduction_factor": -1, "non_linearity": "__import__('os')", "leave_out": "all"}.items():
        bad = config | {"config": config["config"] | {key: value}}
        yield "config", key, zipped(changed(adapter_config__json=json.dumps(bad).encode()))
    tensor = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    for name, content in {
        "header of 2^63": struct.pack("<Q", 1 << 63), "header beyond the end": struct.pack("<Q", 1000) + b"{}", "data beyond the end": safetensors({"a": tensor}),
        "overlap": safetensors({"a": tensor, "b": tensor}, bytes(4)), "hole": safetensors({"a": tensor | {"data_offsets": [4, 8]}}, bytes(8)),
        "product overflows": safetensors({"a": tensor | {"shape": [1 << 31, 1 << 31, 1 << 31]}}, bytes(4)), "negative": safetensors({"a": tensor | {"shape": [-1]}}, bytes(4)),
        "NaN": safetensors({"a": tensor}, struct.pack("<f", float("nan"))), "many": safetensors({f"t{i}": tensor for i in range(50_000)}, bytes(4)),
    }.items():
        yield "safetensors", name, zipped(changed(adapter__safetensors=content))
    others = [(name, content) for name, content in good if name != WEIGHTS]
    for name, content in {
        "os.system": b"\x80\x02cos\nsystem\nX" + struct.pack("<I", len(canary) + 6) + b"touch " + canary.encode() + b"\x85R.",
        "stack global": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c" + bytes([len(canary) + 6]) + b"touch " + canary.encode() + b"\x85R.",
        "deep": b"\x80\x02" + b"(" * 500_000 + b".", "memo": b"\x80\x02Nr\xff\xff\xff\xff.",
    }.items():
        yield "pickle", name, zipped(others + [("pytorch_adapter.bin", zipped([("archive/data.pkl", content), ("archive/version", b"3\n")], zipfile.ZIP_STORED))])
        yield "pickle", f"{name}, bare", zipped(others + [("pytorch_adapter.bin", content)])


def oddities():
    """What is unusual and right."""
    good = list(GOOD.items())
    yield "plain tar", tarred(good)
    yield "ustar", tarred(good, form=tarfile.USTAR_FORMAT)
    yield "GNU tar", tarred(good, form=tarfile.GNU_FORMAT)
    yield "tar in gzip", gzip.compress(tarred(good))
    yield "stored zip", zipped(good, zipfile.ZIP_STORED)
    yield "zip with a comment", zipped(good, comment=b"made by hand")
    yield "in a folder", zipped([(f"my adapter/{name}", content) for name, content in good])
    yield "in ./", tarred([(f"./{name}", content) for name, content in good])
    yield "with folders", tarred(good, [special("folder", tarfile.DIRTYPE)])
    yield "other files", zipped(good + [("README.md", "# Größe 漢字\n".encode()), ("notes.txt", b"")])
    yield "backwards", zipped(good[::-1])
    members = tarred(good)
    yield "gzip of two members", gzip.compress(members[:3000]) + gzip.compress(members[3000:])
    config = json.loads(GOOD["adapter_config.json"])
    yield "unknown keys", zipped(changed(adapter_config__json=json.dumps(config | {"since": 2031}).encode()))
    yield "escaped keys", zipped(changed(adapter_config__json=json.dumps(config, indent=7).replace("config", "\\u0063onfig").encode()))
