"""Files as torch has written them since 2017, byte by byte: the same tensors in every layout."""

import array
import io
import json
import math
import struct
import warnings
import zipfile

NOTHING = b"ccollections\nOrderedDict\n)R"


def tensors(safetensors):
    """Names, shapes and numbers of a safetensors file that holds F32 only."""
    size = struct.unpack("<Q", safetensors[:8])[0]
    for name, tensor in json.loads(safetensors[8:8 + size]).items():
        if name != "__metadata__":
            start, end = tensor["data_offsets"]
            yield name, tensor["shape"], safetensors[8 + size + start:8 + size + end]


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def integer(value):
    return b"K" + bytes([value]) if 0 <= value < 256 else b"J" + struct.pack("<i", value)


def integers(values):
    return b"(" + b"".join(map(integer, values)) + b"t"


def strides(shape):
    return [math.prod(shape[index + 1:]) for index in range(len(shape))]


def storage(key, count, view=b""):
    return b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(key) + text("cpu") + integer(count) + view + b"tQ"


def tensor(store, offset, shape, steps, needs_gradient=b"\x89", metadata=b""):
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + store + integer(offset) + integers(shape) + integers(
        steps) + needs_gradient + NOTHING + metadata + b"tR"


def parameter(made):
    return b"ctorch._utils\n_rebuild_parameter\n(" + made + b"\x88" + NOTHING + b"tR"


def turned(shape, data):
    """The same matrix, columns first."""
    numbers = array.array("f", data)
    return array.array("f",
        [numbers[row * shape[1] + column] for column in range(shape[1]) for row in range(shape[0])]).tobytes()


class Weights:
    """The pickle of a dictionary of tensors, and the storages that it names."""

    def __init__(self, safetensors, style="plain", legacy=False):
        self.items, self.storages = [], []
        view = b"N" if legacy else b""
        if style == "shared":
            self.storages = [b"".join(data for _, _, data in tensors(safetensors))]
        offset = 0
        for name, shape, data in tensors(safetensors):
            count, key = len(data) // 4, str(len(self.storages))
            if style == "shared":
                made = tensor(storage("0", len(self.storages[0]) // 4, view), offset, shape, strides(shape))
                offset += count
            elif style == "transposed" and len(shape) == 2:
                self.storages.append(turned(shape, data))
                made = tensor(storage(key, count, view), 0, shape, [1, shape[0]])
            elif style == "in part":
                self.storages.append(bytes(12) + data + bytes(8))
                made = tensor(storage(key, count + 5, view), 3, shape, strides(shape))
            elif style == "viewed":
                self.storages.append(bytes(12) + data)
                made = tensor(storage(key, count + 3, b"(" + text("9") + integer(3) + integer(count) + b"t"), 0, shape,
                    strides(shape))
            else:
                self.storages.append(data)
                needs_gradient, metadata = (b"\x88", b"}") if style == "gradients" else (b"\x89", b"")
                made = tensor(storage(key, count, view), 0, shape, strides(shape), needs_gradient, metadata)
            self.items.append((name, parameter(made) if style == "parameters" else made))

    def pickle(self, form="dict"):
        def remembered(index, value):
            return value + b"r" + struct.pack("<I", index) if form == "remembered" else value

        pairs = [remembered(2 * index, text(name)) + remembered(2 * index + 1, made) for index,
            (name, made) in enumerate(self.items)]
        if form == "one by one":
            return b"\x80\x02}" + b"".join(pair + b"s" for pair in pairs) + b"."
        if form == "module":
            return b"\x80\x02" + NOTHING + b"(" + b"".join(pairs) + b"u}" + text("_metadata") + NOTHING + b"sb."
        return b"\x80\x02}(" + b"".join(pairs) + b"u."

    def zipped(self, root="archive", form="dict", extra=(), compression=zipfile.ZIP_STORED, version=b"3\n"):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w", compression) as archive:
            entries = [("data.pkl", self.pickle(form))] + [(f"data/{key}", storage) for key,
                storage in enumerate(self.storages)] + [("version", version), *extra]
            for name, content in entries:
                with warnings.catch_warnings(action="ignore"):
                    archive.writestr(zipfile.ZipInfo(f"{root}/{name}"), content, compression)
        return data.getvalue()

    def legacy(self, form="dict"):
        magic = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e")
        system = b"\x80\x02}(" + text("protocol_version") + b"M\xe9\x03" + text("little_endian") + b"\x88" + text(
            "type_sizes") + b"}u."
        keys = b"\x80\x02](" + b"".join(text(str(key)) for key in range(len(self.storages))) + b"e."
        data = b"".join(struct.pack("<q", len(storage) // 4) + storage for storage in self.storages)
        return magic + b"\x80\x02M\xe9\x03." + system + self.pickle(form) + keys + data


def layouts(safetensors):
    """What it is, and the file."""
    for style in "plain", "shared", "transposed", "in part", "parameters", "gradients":
        yield f"zip, {style}", Weights(safetensors, style).zipped()
    for style in "plain", "shared", "transposed", "in part", "viewed", "parameters":
        yield f"before 1.6, {style}", Weights(safetensors, style, legacy=True).legacy()
    for form in "one by one", "module", "remembered":
        yield f"zip, {form}", Weights(safetensors).zipped(form=form)
        yield f"before 1.6, {form}", Weights(safetensors, legacy=True).legacy(form)
    marks = [("byteorder", b"little"), (".format_version", b"1"), (".storage_alignment", b"64"),
        (".data/serialization_id", b"0" * 40)]
    yield "zip of 2.x", Weights(safetensors).zipped("pytorch_adapter", extra=marks)
    yield "zip, compressed by hand", Weights(safetensors).zipped(compression=zipfile.ZIP_DEFLATED)
