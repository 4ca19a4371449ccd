"""Hostile adapters by group, and odd ones that are right: each made from a good adapter by one change, or a bad bundle
of the specification."""

import gzip
import io
import json
import pathlib
import struct
import tarfile
import zipfile
import zlib

import torch_files

FIXTURE = pathlib.Path(__file__).resolve().parent.parent / "HubRegistryTests" / "Fixtures" / "classifier"
GOOD = {path.name: path.read_bytes() for path in sorted(FIXTURE.iterdir())}
WEIGHTS = "adapter.safetensors"
BAD_BUNDLES = sorted(
    (pathlib.Path(__file__).resolve().parent.parent.parent / "Formats" / "bundle" / "v1" / "bad").glob("*.adapter"))


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
    names = ["../evil", "/tmp/evil", "a/../../evil", "..\\evil", "C:evil", "evil\u202e", "a//b", "~/evil", "a" * 300]
    for name in [*names, "x/" * 40 + "x"]:
        yield "path", f"tar {name[:12]!r}", tarred(good + [(name, b"x")])
        yield "path", f"zip {name[:12]!r}", zipped(good + [(name, b"x")])
    yield "path", "zip not in form C", zipped(good + [("e\u0301", b"x")])
    for first, second in ("a", "A"), ("ß", "ss"), ("K", "\u212a"), ("same", "same"), ("folder", "folder/file"):
        yield "collision", f"{first} and {second}", tarred(good + [(first, b"x"), (second, b"y")])
    for kind, word in [
        (tarfile.SYMTYPE, "link"), (tarfile.LNKTYPE, "hard link"), (tarfile.CHRTYPE, "device"), (tarfile.FIFOTYPE, "pipe"),
    ]:
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
        "twice a key": b'{"config": {}, "config": {}}', "deep": b"[" * 200_000, "NaN": b'{"config": NaN}',
        "not UTF-8": b'{"a": "\xff"}',
        "huge number": b'{"config": 1' + b"0" * 500_000 + b"}", "comment": b"{} // no", "array": b"[]", "empty": b"",
        "lone surrogate": b'{"a": "\\ud800"}',
    }.items():
        yield "json", name, zipped(changed(adapter_config__json=text))
    for key, value in {"reduction_factor": -1, "non_linearity": "__import__('os')", "leave_out": "all"}.items():
        bad = config | {"config": config["config"] | {key: value}}
        yield "config", key, zipped(changed(adapter_config__json=json.dumps(bad).encode()))
    tensor = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    for name, content in {
        "header of 2^63": struct.pack("<Q", 1 << 63), "header beyond the end": struct.pack("<Q", 1000) + b"{}",
        "data beyond the end": safetensors({"a": tensor}),
        "overlap": safetensors({"a": tensor, "b": tensor}, bytes(4)),
        "hole": safetensors({"a": tensor | {"data_offsets": [4, 8]}}, bytes(8)),
        "product overflows": safetensors({"a": tensor | {"shape": [1 << 31, 1 << 31, 1 << 31]}}, bytes(4)),
        "negative": safetensors({"a": tensor | {"shape": [-1]}}, bytes(4)),
        "NaN": safetensors({"a": tensor}, struct.pack("<f", float("nan"))),
        "many": safetensors({f"t{i}": tensor for i in range(50_000)}, bytes(4)),
    }.items():
        yield "safetensors", name, zipped(changed(adapter__safetensors=content))
    others = [(name, content) for name, content in good if name != WEIGHTS]
    for name, content in {
        "os.system": b"\x80\x02cos\nsystem\nX" + struct.pack("<I", len(canary) + 6) + b"touch " + canary.encode()
        + b"\x85R.",
        "stack global": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c" + bytes([len(canary) + 6]) + b"touch "
        + canary.encode() + b"\x85R.",
        "deep": b"\x80\x02" + b"(" * 500_000 + b".", "memo": b"\x80\x02Nr\xff\xff\xff\xff.",
    }.items():
        yield "pickle", name, zipped(others
            + [("pytorch_adapter.bin",
                zipped([("archive/data.pkl", content), ("archive/version", b"3\n")], zipfile.ZIP_STORED))])
        yield "pickle", f"{name}, bare", zipped(others + [("pytorch_adapter.bin", content)])
    yield from hostile_tars(good)
    yield from hostile_zips(good)
    yield from hostile_torch(good, canary)
    yield from hostile_contents()
    for path in BAD_BUNDLES:
        yield "bundle", path.stem, path.read_bytes()


def tar_block(name, kind, content=b"", size=None):
    """A header, valid but for what it says, and its content."""
    header = bytearray(tarfile.TarInfo("x").tobuf(tarfile.USTAR_FORMAT)[:512])
    header[:100] = name.ljust(100, b"\0")
    header[124:136] = b"%011o\0" % (len(content) if size is None else size)
    header[156:157] = kind
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + content + bytes(-len(content) % 512)


def record(key, value):
    body = b" " + key + b"=" + value + b"\n"
    size = len(body) + 1
    while len(b"%d" % size) + len(body) != size:
        size += 1
    return b"%d" % size + body


def hostile_tars(good):
    """Tar files in which two programs see two names, two lengths or two kinds of entries."""
    files = b"".join(tar_block(name.encode(), b"0", content) for name, content in good)
    end, evil = bytes(1024), tar_block(b"evil", b"0", b"x")
    for word, key, value in (
        ("a path", b"path", b"evil"), ("a size", b"size", b"7"), ("a target", b"linkpath", b"evil"),
        ("a sparse map", b"GNU.sparse.major", b"1"),
    ):
        yield "extended", f"{word} for all that follow", tar_block(b"pax_global_header", b"g",
            record(key, value)) + files + end
    for word, records in {
        "a zero byte in a path": record(b"path", b"evil\0.txt"), "two paths": record(b"path", b"a")
        + record(b"path", b"b"), "no length": b"path=evil\n",
        "a length that is too long": b"99 path=evil\n", "names in an unknown script": record(b"hdrcharset", b"BINARY"),
        "a sparse file": record(b"GNU.sparse.name", b"evil"),
        "more behind the records": record(b"path", b"a") + b"evil", "a size that climbs": record(b"size", b"-1"),
        "an absurd size": record(b"size", b"9" * 30),
    }.items():
        yield "extended", word, files + tar_block(b"x", b"x", records) + evil + end
    yield "extended", "a zero byte in a long name", files + tar_block(b"././@LongLink", b"L",
        b"evil\0name\0") + evil + end
    yield "extended", "two long names", files + tar_block(b"././@LongLink", b"L", b"a\0") + tar_block(b"x", b"x",
        record(b"path", b"b")) + evil + end
    yield "extended", "records of two megabytes", files + tar_block(b"x", b"x",
        record(b"comment", b"x" * (2 << 20))) + evil + end
    yield "extended", "a zero byte in a name", files + tar_block(b"evil\0more", b"0", b"x") + end
    for kind in b"7", b"A", b"D", b"I", b"K", b"M", b"N", b"S", b"V", b"X", b"Z", b"\xff", b"8":
        yield "extended", f"the type {kind}", files + tar_block(b"evil", kind, b"x") + end
    yield "extended", "a folder with data", files + tar_block(b"evil", b"5", b"x") + end
    for first, second in [
        ("a", "./a"), ("./a", "a"), ("a/b", "./a/b"), ("e\u0301", "\u00e9"), ("a", "a/"), ("a/", "a"),
        ("STRASSE", "straße"), ("\ufb01", "fi"),
    ]:
        entries = tar_block(first.encode(), b"0", b"x") + tar_block(second.encode(), b"0", b"y")
        yield "collision", f"{first!r} and {second!r}", files + entries + end
    yield "collision", "a folder and a file", files + tar_block(b"a/", b"5") + tar_block(b"A", b"0", b"y") + end


def hostile_zips(good):
    """Zip files whose packed data is not what the directory says."""
    whole = zipped(good)
    start = 30 + len(good[0][0])
    flipped = bytearray(whole)
    flipped[start + 40] ^= 1
    yield "framing", "zip with a bit of its data flipped", bytes(flipped)
    for word, change in ("a shorter file", -1), ("a longer file", 1):
        files = bytearray(whole)
        for signature, place in (b"PK\3\4", 22), (b"PK\1\2", 24):
            at = files.index(signature) + place
            files[at:at + 4] = struct.pack("<I", struct.unpack("<I", files[at:at + 4])[0] + change)
        yield "framing", f"zip that says {word}", bytes(files)
    name, content = b"evil", b"x" * 100
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(content) + packer.flush() + b"more than the stream"
    local = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 8, 0, 0, zlib.crc32(content), len(packed), len(content),
        len(name), 0) + name + packed
    central = struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, 8, 0, 0, zlib.crc32(content), len(packed),
        len(content), len(name), 0, 0, 0, 0, 0, 0) + name
    yield "framing", "zip with more behind packed data", local + central + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1,
        1, len(central), len(local), 0)
    yield "collision", "zip: folder and file", zipped(good + [("a/", b""), ("A", b"x")])
    yield "collision", "zip: twice", zipped(good + [("a", b"x"), ("./a", b"y")])


def hostile_torch(good, canary):
    """Files of torch.save, each wrong in one place."""
    def torch(storages=(), items=(), extra=(), **options):
        weights = torch_files.Weights(GOOD[WEIGHTS])
        weights.storages += storages
        weights.items += items
        return weights.zipped(extra=extra, **options)

    made = torch_files.tensor
    whole, storage, first = torch(), torch_files.Weights(GOOD[WEIGHTS]).storages[0], torch_files.storage("0", 64)
    for name, data in {
        "a program in it": torch(extra=[("code/evil.py", b"x")]), "an entry above it": torch(extra=[("../evil", b"x")]),
        "two pickles": torch(extra=[("data.pkl", b"\x80\x02}.")]),
        "more behind it": whole + b"more", "cut": whole[:-30],
        "a storage that was changed": whole.replace(storage, bytes(len(storage)), 1),
        "big-endian": torch(extra=[("byteorder", b"big")]),
        "a bomb": torch([bytes(300 << 20)], compression=zipfile.ZIP_DEFLATED),
        "beyond the storage": torch(items=[("x", made(first, 60, [64], [1]))]),
        "one element many times": torch(items=[("x", made(first, 0, [64], [0]))]),
        "elements that overlap": torch(items=[("x", made(first, 0, [4, 4], [1, 1]))]),
        "before the storage": torch(items=[("x", made(first, -1, [1], [1]))]),
        "a huge shape": torch(items=[("x", made(first, 0, [2**31 - 1] * 3, [1, 1, 1]))]),
        "a storage that is not there": torch(items=[("x", made(torch_files.storage("77", 1), 0, [1], [1]))]),
        "of a version to come": torch(version=b"11\n"), "of no version": torch(extra=[(".format_version", b"2")]),
        "a key that climbs": torch(items=[("x", made(torch_files.storage("../0", 1), 0, [1], [1]))]),
    }.items():
        yield "torch", name, zipped([file for file in good if file[0] != WEIGHTS] + [("pytorch_adapter.bin", data)])
    evil = b"\x80\x02cos\nsystem\nX" + struct.pack("<I", len(canary) + 6) + b"touch " + canary.encode() + b"\x85R."
    yield "torch", "an evil head", zipped([file for file in good if file[0] != "model_head.safetensors"]
        + [("pytorch_model_head.bin", evil)])


def hostile_contents():
    """Configurations out of their range, and weights that they do not imply."""
    config, head = json.loads(GOOD["adapter_config.json"]), json.loads(GOOD["head_config.json"])
    for key, values in {
        "reduction_factor": [0, -1, 1e308, "16", [], 2**62, {}], "non_linearity": ["evil", 7, None],
        "leave_out": [[2**63 - 1], [[]], "x", {}, [-1], [0, -5], [300], [1.5]], "phm_dim": [0, -4, 2**62],
        "architecture": ["os.system", "lora", []], "inv_adapter": ["evil"], "scaling": ["x"], "shiny": [3],
        "configs": [[7], 7],
    }.items():
        for value in values:
            changes = {"phm_layer": True} if key == "phm_dim" else {
                "inv_adapter_reduction_factor": 2} if key == "inv_adapter" else {}
            yield "range", f"{key} {value!r}", zipped(
                changed(adapter_config__json=json.dumps(config
                    | {"config": config["config"] | changes | {key: value}}).encode()))
    for key, values in {"hidden_size": [0, -1, 2**63 - 1, 1e9, "32", None], "model_type": [7, None, "evil", "", "BERT"],
        "config": [None, [], 7, "evil", True, [[]]]}.items():
        for value in values:
            yield "range", f"{key} {value!r}", zipped(
                changed(adapter_config__json=json.dumps(config | {key: value}).encode()))
    for key, values in {"head_type": ["evil", 3], "num_labels": [-1, 2**62, "x", 4],
        "label2id": [{"a": -1}, {"a": 2**62}, [1], {"a": 0, "b": 0, "c": 1}], "layers": [-1, 10**9]}.items():
        for value in values:
            yield "range", f"{key} {value!r}", zipped(
                changed(head_config__json=json.dumps(head | {"config": head["config"] | {key: value}}).encode()))
    size = struct.unpack("<Q", GOOD[WEIGHTS][:8])[0]
    header, data = json.loads(GOOD[WEIGHTS][8:8 + size]), GOOD[WEIGHTS][8 + size:]
    names = [name for name in header if name != "__metadata__"]
    def renamed(old, new):
        return safetensors({name.replace(old, new): tensor for name, tensor in header.items()}, data)
    extra = {"dtype": "F32", "shape": [1], "data_offsets": [len(data), len(data) + 4]}
    for name, weights in {
        "no tensor": safetensors({}), "of another adapter": renamed(".a.", ".b."),
        "of another layer": renamed("layer.0", "layer.9"),
        "of the base": safetensors(header | {"bert.pooler.dense.weight": extra}, data + bytes(4)),
        "in other shapes": safetensors(
            {name: tensor | ({"shape": tensor["shape"][::-1]} if len(tensor.get("shape", [])) == 2 else {}) for name,
                tensor in header.items()}, data),
        "as integers": safetensors(
            {name: tensor | ({"dtype": "I32"} if name == names[0] else {}) for name, tensor in header.items()}, data),
    }.items():
        yield "weights", name, zipped(changed(adapter__safetensors=weights))
    yield "weights", "no head", zipped([file for file in GOOD.items() if file[0] != "model_head.safetensors"])


def streamed(files, large=False, **fields):
    """A zip file with the sizes behind the data, or in 64 bits."""
    data = io.BytesIO()

    class Pipe(io.RawIOBase):
        def writable(self):
            return True

        def write(self, part):
            return data.write(part)

    with zipfile.ZipFile(data if large else Pipe(), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            for key, value in fields.items():
                setattr(info, key, value)
            with archive.open(info, "w", force_zip64=large) as entry:
                entry.write(content)
    return data.getvalue()


def odd_zips(good):
    yield "stored zip", zipped(good, zipfile.ZIP_STORED)
    yield "zip with a comment", zipped(good, comment=b"made by hand")
    yield "zip of a pipe", streamed(good)
    yield "zip in 64 bits", streamed(good, large=True)
    yield "zip of DOS", streamed(good, create_system=0, external_attr=0x20)
    yield "zip of macOS", zipped(good
        + [("__MACOSX/._adapter_config.json", b"\0\5\x16\7"), (".DS_Store", b"\0\0\0\1Bud1")])
    yield "zip with times", streamed(good, extra=struct.pack("<HHBL", 0x5455, 5, 1, 0x5E0BE100))
    yield "zip with owners", streamed(good, extra=struct.pack("<HHBBLBL", 0x7875, 11, 1, 4, 1000, 4, 1000))
    yield "zip with modes", streamed(good, external_attr=0o100777 << 16)
    yield "zip with remarks", streamed(good, comment=b"an entry")
    yield "zip with folders", zipped([("my adapter/", b"")]
        + [(f"my adapter/{name}", content) for name, content in good])
    yield "in a folder", zipped([(f"my adapter/{name}", content) for name, content in good])
    yield "in folders of two scripts", zipped([(f"Größe 漢字/{name}", content) for name, content in good])
    yield "other files", zipped(good + [("README.md", "# Größe 漢字\n".encode()), ("notes.txt", b"")])
    yield "a zip in it", zipped(good + [("sources.zip", zipped([("a", b"b")]))], zipfile.ZIP_STORED)
    yield "backwards", zipped(good[::-1])


def odd_tars(good):
    yield "plain tar", tarred(good)
    yield "ustar", tarred(good, form=tarfile.USTAR_FORMAT)
    yield "GNU tar", tarred(good, form=tarfile.GNU_FORMAT)
    old = bytearray(tarred(good, form=tarfile.USTAR_FORMAT))
    for start in (start for start in range(0, len(old), 512) if old[start + 257:start + 262] == b"ustar"):
        old[start + 257:start + 345] = bytes(88)
        old[start + 148:start + 156] = b" " * 8
        old[start + 148:start + 156] = b"%06o\0 " % sum(old[start:start + 512])
    yield "tar of 1979", bytes(old)
    yield "in ./", tarred([(f"./{name}", content) for name, content in good])
    yield "with folders", tarred(good, [special("folder", tarfile.DIRTYPE)])
    for form, word in (tarfile.USTAR_FORMAT, "ustar"), (tarfile.GNU_FORMAT, "GNU"), (tarfile.PAX_FORMAT, "pax"):
        yield f"long names, {word}", tarred([(f"{'f' * 120}/{name}", content) for name, content in good], form=form)
    yield "tar padded to 1 MiB", tarred(good).ljust(1 << 20, b"\0")
    members = tarred(good)
    yield "tar not padded", members[:-(-len(members.rstrip(b"\0")) // 512) * 512] + bytes(1024)
    yield "tar in gzip", gzip.compress(members)
    yield "gzip of two members", gzip.compress(members[:3000]) + gzip.compress(members[3000:])
    yield "gzip of many members", b"".join(gzip.compress(members[start:start + 700])
        for start in range(0, len(members), 700))
    plain = gzip.compress(members)
    yield "gzip with a name", (
        plain[:3] + bytes([plain[3] | 8 | 16]) + plain[4:10] + b"adapter.tar\0a remark\0" + plain[10:])
    yield "gzip, not compressed", gzip.compress(members, 0)


def odd_contents():
    """What is not the same adapter to the bit, but right."""
    config = json.loads(GOOD["adapter_config.json"])
    yield "unknown keys", zipped(changed(adapter_config__json=json.dumps(config | {"since": 2031}).encode()))
    yield "a factor with a fraction", zipped(
        changed(adapter_config__json=json.dumps(config
            | {"config": config["config"] | {"reduction_factor": 16.0}}).encode()))
    head = json.loads(GOOD["head_config.json"])
    labels = {"größer": 0, "漢字": 1, "🙂": 2}
    yield "labels of all scripts", zipped(
        changed(head_config__json=json.dumps(head | {"config": head["config"] | {"label2id": labels}}).encode()))


def odd_files():
    config = json.loads(GOOD["adapter_config.json"])
    yield "escaped keys", zipped(
        changed(adapter_config__json=json.dumps(config, indent=7).replace("config", "\\u0063onfig").encode()))
    yield "lines of DOS", zipped(
        changed(adapter_config__json=json.dumps(config, indent=1).replace("\n", "\r\n").encode()))
    yield "keys backwards", zipped(changed(adapter_config__json=json.dumps(dict(reversed(config.items()))).encode()))
    size = struct.unpack("<Q", GOOD[WEIGHTS][:8])[0]
    header, data = json.loads(GOOD[WEIGHTS][8:8 + size]), GOOD[WEIGHTS][8 + size:]
    yield "header backwards", zipped(changed(adapter__safetensors=safetensors(dict(reversed(header.items())), data)))
    yield "header with a space behind", zipped(
        changed(adapter__safetensors=safetensors(json.dumps(header).encode() + b" ", data)))
    yield "header with metadata", zipped(
        changed(adapter__safetensors=safetensors(header | {"__metadata__": {"format": "pt", "é": "ü"}}, data)))
    others = [(name, content) for name, content in GOOD.items() if not name.endswith(".safetensors")]
    heads = dict(torch_files.layouts(GOOD["model_head.safetensors"]))
    for name, adapter in torch_files.layouts(GOOD[WEIGHTS]):
        yield f"torch: {name}", zipped(others
            + [("pytorch_adapter.bin", adapter), ("pytorch_model_head.bin", heads[name])])


def oddities():
    """What is unusual and right: what it is, the file, and whether it is the usual adapter to the bit."""
    good = list(GOOD.items())
    yield "usual", zipped(good), True
    for name, data in *odd_zips(good), *odd_tars(good), *odd_files():
        yield name, data, True
    for name, data in odd_contents():
        yield name, data, False
