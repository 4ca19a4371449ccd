"""Makes the small torch and safetensors files beside it, and what they hold as text.

    python make.py      (needs torch and safetensors)

The keys of the legacy layout are addresses, so that those files differ from run to run.
"""
import json
import pathlib
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
    lines = {key: {"shape": list(value.shape), "values": [float(x) for x in value.detach().reshape(-1).double().tolist()]}
             for key, value in tensors.items() if value.is_floating_point()}
    (HERE / f"{name}.expected.json").write_text(json.dumps(lines, indent=1, sort_keys=True) + "\n")


def save(name, tensors):
    torch.save(tensors, HERE / f"{name}.bin")
    torch.save(tensors, HERE / f"{name}-legacy.bin", _use_new_zipfile_serialization=False)
    expect(name, tensors)


torch.manual_seed(0)
base = numbers(4, 6)
save("plain", {"down.weight": numbers(2, 3), "down.bias": numbers(2), "scale": torch.tensor(0.5), "none": numbers(0, 3)})
save("views", OrderedDict(base=base, transposed=base.t(), column=base[:, 2], block=base[1:3, 2:5],
                          steps=base[::2, 1::3], permuted=numbers(2, 3, 4).permute(2, 0, 1)))
save("types", {"double": numbers(3, dtype=torch.float64), "half": numbers(3, dtype=torch.float16),
               "bfloat": numbers(3, dtype=torch.bfloat16), "long": torch.arange(3), "bool": torch.tensor([True, False]),
               "byte": torch.arange(3, dtype=torch.uint8), "int": torch.arange(3, dtype=torch.int32)})
save("parameters", {"w": torch.nn.Parameter(numbers(2, 2)), "frozen": torch.nn.Parameter(numbers(2), requires_grad=False)})
save("module", torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1)).state_dict())
torch.save(numbers(2), HERE / "lone-tensor.bin")
torch.save({"adapter": {"w": numbers(2)}}, HERE / "nested.bin")
torch.save({"epoch": 3}, HERE / "number.bin")
torch.save({"x": numbers(2).to(torch.float8_e4m3fn)}, HERE / "float8.bin")
torch.save({"device": torch.device("cpu")}, HERE / "device.bin")

tensors = {"b": numbers(2, 3), "a": numbers(3, dtype=torch.bfloat16), "c": numbers(2, dtype=torch.float16), "i": torch.arange(3)}
safetensors.torch.save_file(tensors, HERE / "mixed.safetensors", metadata={"format": "pt"})
expect("mixed", tensors)
safetensors.torch.save_file({"b": tensors["b"]}, HERE / "shard-1.safetensors")
safetensors.torch.save_file({"a": tensors["a"]}, HERE / "shard-2.safetensors")
(HERE / "sharded.safetensors.index.json").write_text(json.dumps(
    {"metadata": {"total_size": 30}, "weight_map": {"b": "shard-1.safetensors", "a": "shard-2.safetensors"}}))
