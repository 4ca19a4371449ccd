"""Makes types.gguf and types.json: python make_gguf.py (needs `gguf` 0.17 and numpy).

A tensor of every type that is read, of random blocks, and the numbers that the `gguf` package makes of them. It cannot
quantise to all types, so that the blocks themselves are random: only the scales are kept small.
"""
import json
import pathlib
import numpy
import gguf
from gguf import GGMLQuantizationType as Type

HERE = pathlib.Path(__file__).parent
random = numpy.random.default_rng(3)
SCALES = {Type.Q4_0: [0], Type.Q4_1: [0, 2], Type.Q5_0: [0], Type.Q5_1: [0, 2], Type.Q8_0: [0], Type.Q4_K: [0, 2],
    Type.Q5_K: [0, 2], Type.Q6_K: [208]}
writer = gguf.GGUFWriter(HERE / "types.gguf", "test")
writer.add_uint8("a.uint8", 200)
writer.add_int8("a.int8", -3)
writer.add_uint16("a.uint16", 60000)
writer.add_int16("a.int16", -300)
writer.add_uint32("a.uint32", 4000000000)
writer.add_int32("a.int32", -70000)
writer.add_uint64("a.uint64", 1 << 40)
writer.add_int64("a.int64", -(1 << 40))
writer.add_float32("a.float32", 0.1)
writer.add_float64("a.float64", 0.1)
writer.add_bool("a.bool", True)
writer.add_string("a.string", "größe")
writer.add_array("a.strings", ["a", "", "é"])
writer.add_array("a.integers", [1, -2, 3])
writer.add_array("a.numbers", [0.5, -1.5])
expected = {}
plain = random.normal(size=(3, 8)).astype(numpy.float32)
writer.add_tensor("F32", plain)
expected["F32"] = plain
writer.add_tensor("F16", plain.astype(numpy.float16))
expected["F16"] = plain.astype(numpy.float16).astype(numpy.float32)
for type in [Type.BF16, *SCALES]:
    elements, size = gguf.GGML_QUANT_SIZES[type]
    blocks = random.integers(0, 256, size=(3, 2, size), dtype=numpy.uint8)
    for place in SCALES.get(type, []):
        scales = (random.normal(size=(3, 2)) * 0.05).astype(numpy.float16)
        blocks[:, :, place:place + 2] = scales[..., None].view(numpy.uint8)
    if type == Type.BF16:
        blocks = gguf.quants.quantize(random.normal(size=(3, 8)).astype(numpy.float32),
            type).view(numpy.uint8).reshape(3, 8, 2)
    data = blocks.reshape(3, -1)
    writer.add_tensor(type.name, data, raw_dtype=type)
    expected[type.name] = gguf.quants.dequantize(data, type)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
with open(HERE / "types.json", "w") as file:
    json.dump(
        {name: {"shape": list(values.shape),
            "values": [float(str(value)) for value in values.astype(numpy.float32).ravel()]} for name,
            values in expected.items()}, file)
    file.write("\n")
