"""Makes the small torch and safetensors files beside it, and what they hold as text.

    python make.py      (needs torch and safetensors)

The keys of the legacy layout are addresses, so that those files differ from run to run.
"""
import io
import json
import pathlib
import re
import shutil
import struct
import warnings
import zipfile
from collections import OrderedDict

import safetensors.torch
import torch

HERE = pathlib.Path(__file__).parent


def numbers(*shape, dtype=torch.float32):
    count = 1
    for size in shape:
        count *= size
    return (torch.arange(count, dtype=torch.float32).reshape(shape) / 4 - 1).to(dtype)


def expect(name, tensors):
    lines = {
        key: {"shape": list(value.shape), "values": [float(x) for x in value.detach().reshape(-1).double().tolist()]}
             for key, value in tensors.items() if value.is_floating_point()}
    (HERE / f"{name}.expected.json").write_text(json.dumps(lines, indent=1, sort_keys=True) + "\n")


def save(name, tensors):
    torch.save(tensors, HERE / f"{name}.bin")
    torch.save(tensors, HERE / f"{name}-legacy.bin", _use_new_zipfile_serialization=False)
    expect(name, tensors)


torch.manual_seed(0)
base = numbers(4, 6)
save("plain",
    {"down.weight": numbers(2, 3), "down.bias": numbers(2), "scale": torch.tensor(0.5), "none": numbers(0, 3)})
save("views", OrderedDict(base=base, transposed=base.t(), column=base[:, 2], block=base[1:3, 2:5],
                          steps=base[::2, 1::3], permuted=numbers(2, 3, 4).permute(2, 0, 1)))
save("types", {"double": numbers(3, dtype=torch.float64), "half": numbers(3, dtype=torch.float16),
               "bfloat": numbers(3, dtype=torch.bfloat16), "long": torch.arange(3), "bool": torch.tensor([True, False]),
               "byte": torch.arange(3, dtype=torch.uint8), "int": torch.arange(3, dtype=torch.int32)})
save("parameters",
    {"w": torch.nn.Parameter(numbers(2, 2)), "frozen": torch.nn.Parameter(numbers(2), requires_grad=False)})
save("module", torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1)).state_dict())
torch.save(numbers(2), HERE / "lone-tensor.bin")
torch.save({"adapter": {"w": numbers(2)}}, HERE / "nested.bin")
torch.save({"epoch": 3}, HERE / "number.bin")
torch.save({"x": numbers(2).to(torch.float8_e4m3fn)}, HERE / "float8.bin")
torch.save({"device": torch.device("cpu")}, HERE / "device.bin")

tensors = {"b": numbers(2, 3), "a": numbers(3, dtype=torch.bfloat16), "c": numbers(2, dtype=torch.float16),
    "i": torch.arange(3)}
safetensors.torch.save_file(tensors, HERE / "mixed.safetensors", metadata={"format": "pt"})
expect("mixed", tensors)
safetensors.torch.save_file({"b": tensors["b"]}, HERE / "shard-1.safetensors")
safetensors.torch.save_file({"a": tensors["a"]}, HERE / "shard-2.safetensors")
(HERE / "sharded.safetensors.index.json").write_text(json.dumps(
    {"metadata": {"total_size": 30}, "weight_map": {"b": "shard-1.safetensors", "a": "shard-2.safetensors"}}))

# Files that must be refused, each with the code of the failure beside it.
BAD = HERE / "bad"
shutil.rmtree(BAD, ignore_errors=True)
BAD.mkdir()


def bad(name, data, code):
    (BAD / f"{name}.bin").write_bytes(data)
    (BAD / f"{name}.bin.expected").write_text(code + "\n")


def saved(tensors, **options):
    output = io.BytesIO()
    torch.save(tensors, output, **options)
    return output.getvalue()


def entries(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def packed(parts):
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data)
    return output.getvalue()


good = entries(saved({"w": numbers(2, 3)}))
pickle, storage = good["archive/data.pkl"], good["archive/data/0"]
bad("storage-short", packed(good | {"archive/data/0": storage[:-1]}), "torch/storage")
bad("storage-long", packed(good | {"archive/data/0": storage + b"\0"}), "torch/storage")
bad("storage-missing", packed({k: v for k, v in good.items() if k != "archive/data/0"}), "torch/storage")
bad("pickle-missing", packed({k: v for k, v in good.items() if k != "archive/data.pkl"}), "torch/malformed")
bad("pickle-longer", packed(good | {"archive/data.pkl": pickle + b"N."}), "torch/length")
bad("big-endian", packed(good | {"archive/byteorder": b"big"}), "torch/big-endian")
bad("entry-unknown", packed(good | {"archive/code/evil.py": b""}), "torch/malformed")
bad("entry-constants", packed(good | {"archive/constants.pkl": b""}), "torch/malformed")
bad("two-folders", packed(good | {"other/data.pkl": pickle}), "torch/malformed")
bad("key-climbs", packed(good | {"archive/data/../0": storage}), "archive/unsafe-name")
bad("shape-beyond", packed(good | {"archive/data.pkl": pickle.replace(b"K\x02K\x03\x86", b"K\x03K\x03\x86", 1)}),
    "torch/storage")
bad("offset-beyond", packed(good | {"archive/data.pkl": pickle.replace(b"QK\x00", b"QK\x01", 1)}), "torch/storage")
bad("type-other", packed(good | {"archive/data.pkl": pickle.replace(b"FloatStorage", b"DoubleStorage", 1)}),
    "torch/storage")
bad("type-unknown", packed(good | {"archive/data.pkl": pickle.replace(b"FloatStorage", b"ComplexFloatStorage", 1)}),
    "pickle/forbidden-global")
bad("strides-overlap", saved({"w": numbers(6).as_strided((3, 2), (1, 1))}), "torch/storage")
bad("strides-zero", saved({"w": numbers(1).expand(4)}), "torch/storage")
bad("list", saved([numbers(2)]), "torch/unexpected-object")
bad("integer-names", saved({1: numbers(2)}), "torch/unexpected-object")
bad("whole-module", saved(torch.nn.Linear(2, 2)), "pickle/forbidden-global")
bad("not-torch", b"\x80\x04\x95\x0b\0\0\0\0\0\0\0}\x94.", "torch/unknown-format")
bad("newer-pickle", saved({"w": numbers(2)}, pickle_protocol=4), "pickle/malformed")

twice = io.BytesIO()
with warnings.catch_warnings(), zipfile.ZipFile(twice, "w") as archive:
    warnings.simplefilter("ignore")
    for name, data in list(good.items()) + [("archive/data.pkl", pickle)]:
        archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data)
bad("pickle-twice", twice.getvalue(), "archive/colliding-names")

legacy = saved({"w": numbers(2, 3)}, _use_new_zipfile_serialization=False)
bad("legacy-longer", legacy + b"\0", "torch/length")
bad("legacy-count", legacy[:-32] + struct.pack("<q", 5) + legacy[-24:], "torch/length")
bad("legacy-count-huge", legacy[:-32] + struct.pack("<q", 1 << 62) + legacy[-24:], "torch/length")
bad("legacy-count-negative", legacy[:-32] + struct.pack("<q", -1) + legacy[-24:], "torch/length")
bad("legacy-big-endian", re.sub(rb"(little_endianq.)\x88", lambda found: found[1] + b"\x89", legacy),
    "torch/big-endian")
bad("legacy-protocol", legacy.replace(b"M\xe9\x03.", b"M\xea\x03."), "torch/malformed")
