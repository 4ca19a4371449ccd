"""Random files of `torch.save` through hub: the tensors must be those of `torch.load`, byte for byte.

    python3 Tests/Interchange/torch_views.py HUB [--count N]

Each file holds the tensors of one small adapter with random numbers, as views of random layout: transposed, cut out of
larger storages, sharing one, as parameters; of random types; in the zip layout or the one before it. Needs torch; says
that it skips where it is not installed.
"""

import argparse
import io
import json
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile

try:
    import torch
except ImportError:
    print("SKIPPED: torch is not installed")
    sys.exit(0)

FIXTURE = pathlib.Path(__file__).resolve().parent.parent / "HubRegistryTests" / "Fixtures" / "classifier"
FILES = {"adapter.safetensors": "pytorch_adapter.bin", "model_head.safetensors": "pytorch_model_head.bin"}
TYPES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64"}


def header(data):
    size = struct.unpack("<Q", data[:8])[0]
    return {name: tensor for name, tensor in json.loads(data[8:8 + size]).items() if name != "__metadata__"}, data[8
        + size:]


def numbers(shape, kind, chance):
    """Random bits that are finite numbers, the smallest and the negative zero among them."""
    tensor = torch.randn(shape, dtype=torch.float64) * 10 ** chance.uniform(-7, 4)
    tensor = torch.where(torch.rand(shape) < 0.05, -torch.zeros(shape, dtype=torch.float64), tensor).to(kind)
    return torch.where(tensor.isfinite(), tensor, torch.zeros_like(tensor))


def view(shape, kind, chance, pool):
    """A tensor of a shape in a random layout."""
    layout = chance.choice(["plain", "transposed", "cut", "offset", "shared", "parameter"])
    if layout == "transposed" and len(shape) == 2:
        return numbers(shape[::-1], kind, chance).t()
    if layout == "cut":
        cuts = [chance.randint(0, 3) for _ in shape]
        whole = numbers([size + cut + 2 for size, cut in zip(shape, cuts)], kind, chance)
        return whole[tuple(slice(cut, cut + size) for size, cut in zip(shape, cuts))]
    if layout == "offset":
        count = torch.Size(shape).numel()
        start = chance.randint(0, 9)
        return numbers([count + start + 3], kind, chance)[start:start + count].view(shape)
    if layout == "shared":
        pool.setdefault(kind, numbers([4096], kind, chance))
        start = chance.randint(0, 4096 - torch.Size(shape).numel())
        return pool[kind][start:start + torch.Size(shape).numel()].view(shape)
    made = numbers(shape, kind, chance)
    return torch.nn.Parameter(made) if layout == "parameter" else made


def packed(hub, folder, place):
    subprocess.run([hub, "pack", folder, "-o", place, "--compression", "none", "--force"], check=True,
        capture_output=True)
    with tarfile.open(place) as archive:
        return [archive.extractfile(name).read() for name in ("weights.safetensors", "head/weights.safetensors")]


def content(tensor):
    return TYPES[tensor.dtype], list(tensor.shape), bytes(
        tensor.detach().contiguous().view(torch.uint8).numpy()) if tensor.numel() else b""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hub")
    parser.add_argument("--count", type=int, default=1000)
    options = parser.parse_args()
    shapes = {file: {name: tensor["shape"] for name, tensor in header((FIXTURE / file).read_bytes())[0].items()}
        for file in FILES}
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="dovetail-torch-") as work:
        folder = pathlib.Path(work, "saved")
        folder.mkdir()
        for config in FIXTURE.glob("*.json"):
            shutil.copy(config, folder)
        for number in range(options.count):
            chance = random.Random(number)
            torch.manual_seed(number)
            expected = []
            for file, name in FILES.items():
                pool, path = {}, folder / name
                tensors = {name: view(shape, chance.choice(list(TYPES)), chance, pool) for name,
                    shape in shapes[file].items()}
                torch.save(tensors, path, _use_new_zipfile_serialization=chance.random() < 0.7)
                expected.append(sorted(map(content, torch.load(path, weights_only=True).values())))
            for data, tensors in zip(packed(options.hub, str(folder), f"{work}/out.adapter"), expected):
                listed, rest = header(data)
                found = sorted((tensor["dtype"], tensor["shape"], rest[slice(*tensor["data_offsets"])])
                    for tensor in listed.values())
                if found != tensors:
                    wrong += 1
                    print(f"WRONG: file {number}: {sum(left != right for left, right in zip(found, tensors))} of {len(tensors)} tensors differ")
    print(f"files of torch: {options.count}; wrong: {wrong}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
