"""Gives `hub install` small adapters, and larger ones up to 32 times that: memory may grow as the input does, and no
faster.

    python3 Tests/Attacks/growth.py HUB

Beyond what the smallest takes, the largest should take four times what one of a quarter of its size takes. Twice that
is let pass, and 3 MiB of the quarter's are taken to hide below what the program takes anyway; where memory grows with
the square of the input, it is sixteen times.
"""

import gzip
import json
import multiprocessing
import os
import pathlib
import random
import shutil
import sys
import tempfile

import attack
import make
import torch_files

CONFIG, HEAD = (json.loads(make.GOOD[f"{name}_config.json"]) for name in ("adapter", "head"))


def weights(shapes):
    """A safetensors file of 32-bit numbers."""
    header, end = {}, 0
    for name, shape in shapes.items():
        size = 4
        for number in shape:
            size *= number
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    return make.safetensors(header, bytes(end))


def shapes(file):
    return {name: list(shape) for name, shape, _ in torch_files.tensors(make.GOOD[file])}


def strangers(count):
    """A head, and tensors of others, which are left out."""
    return weights(shapes("model_head.safetensors") | {f"heads.other.{number}": [1] for number in range(count)})


def pickled(head):
    return [(name, content) for name, content in make.GOOD.items()
        if name != "model_head.safetensors"] + [("pytorch_model_head.bin", head)]


def saying(value):
    return make.changed(adapter_config__json=json.dumps(CONFIG | {"said": value}).encode())


def wide(count):
    """An adapter with so many units."""
    config = CONFIG | {"config": CONFIG["config"] | {"reduction_factor": 32 / count}}
    tensors = {name: [count if size == 2 else size for size in shape] for name, shape in shapes(make.WEIGHTS).items()}
    return make.changed(adapter_config__json=json.dumps(config).encode(), adapter__safetensors=weights(tensors))


def labelled(count):
    """A head of so many labels."""
    config = HEAD | {"config": HEAD["config"]
        | {"num_labels": count, "label2id": {f"label {number}": number for number in range(count)}}}
    tensors = {name: [count if size == 3 else size for size in shape] for name,
        shape in shapes("model_head.safetensors").items()}
    return make.changed(head_config__json=json.dumps(config).encode(), model_head__safetensors=weights(tensors))


def more(count):
    return list(make.GOOD.items()) + [(f"folder/{number}", b"x") for number in range(count)]


def longer(count):
    return list(make.GOOD.items()) + [("notes", random.Random(1).randbytes(count))]


# The most parts, near a limit or many, and what is made of so many.
INPUTS = {
    "safetensors of tensors": (16_000,
        lambda count: make.tarred(make.changed(model_head__safetensors=strangers(count)))),
    "torch of tensors": (16_000,
        lambda count: make.tarred(pickled(torch_files.Weights(strangers(count), "shared").zipped(form="one by one")))),
    "torch before 1.6 of tensors": (9600,
        lambda count: make.tarred(pickled(torch_files.Weights(strangers(count), legacy=True).legacy("one by one")))),
    "weights": (8000, lambda count: make.tarred(wide(count))),
    "labels": (9600, lambda count: make.tarred(labelled(count))),
    "JSON of numbers": (64_000, lambda count: make.tarred(saying([number + 0.5 for number in range(count)]))),
    "JSON of keys": (40_000, lambda count: make.tarred(saying({f"key{number}": 1 for number in range(count)}))),
    "a JSON string of escapes": (160_000, lambda count: make.tarred(saying("\u00e9" * count))),
    "zip entries": (4000, lambda count: make.zipped(more(count))),
    "zip bytes": (1 << 24, lambda count: make.zipped(longer(count))),
    "tar entries": (4000, lambda count: make.tarred(more(count))),
    "tar bytes": (1 << 24, lambda count: make.tarred(longer(count))),
    "gzip bytes": (1 << 24, lambda count: gzip.compress(make.tarred(longer(count)), 1)),
}


def write(file, name, part):
    most, made = INPUTS[name]
    file.write_bytes(made(most // part))


def main():
    program, wrong = os.path.abspath(sys.argv[1]), 0
    with tempfile.TemporaryDirectory(prefix="dovetail-growth-") as work:
        for folder in "in", "home", "tmp", "traps":
            os.mkdir(f"{work}/{folder}")
        file = pathlib.Path(f"{work}/in/file")
        for name in INPUTS:
            memory = []
            for part in 32, 4, 1:
                # In another process: what this one has held counts for the programs that it starts.
                writer = multiprocessing.Process(target=write, args=(file, name, part))
                writer.start()
                writer.join()
                status, _, errors, _, mebibytes = attack.install(program, work, str(file))
                shutil.rmtree(f"{work}/registry", ignore_errors=True)
                if status:
                    sys.exit(f"{name}: {errors}")
                memory.append(mebibytes)
            quarter, whole = (mebibytes - memory[0] for mebibytes in memory[1:])
            is_wrong = whole > 8 * (max(0, quarter) + 3)
            wrong += is_wrong
            print(f"{name:28} {file.stat().st_size / (1 << 20):5.1f} MiB take {memory[-1]:5.1f} MiB, a quarter {memory[1]:5.1f}, little {memory[0]:5.1f}{'   TOO MUCH' if is_wrong else ''}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
