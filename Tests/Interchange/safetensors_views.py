"""Random safetensors files through hub: whatever it accepts, the reference loads, with the same names, types, shapes
and bytes.

    python3 Tests/Interchange/safetensors_views.py HUB [--count N]

Each file holds a tiny BERT among tensors of a head, in an odd layout that is right, and goes to `hub model add`; so do
four mutants of it. The fingerprint that hub gives is the digest of every tensor of the model as hub read it, and must
be that of what the reference loads. A right file must be accepted, and all that hub accepts must load, the head
included. Needs safetensors; says that it skips where it is not installed.
"""

import argparse
import hashlib
import json
import math
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile

try:
    import safetensors
except ImportError:
    print("SKIPPED: safetensors is not installed")
    sys.exit(0)

SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
CONFIG = {
    "model_type": "bert", "hidden_size": 2, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 3,
    "vocab_size": 5, "max_position_embeddings": 4, "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 0.5,
    "pad_token_id": 0,
    "position_embedding_type": "absolute",
}
LINEAR = {f"attention.{name}": [2, 2]
    for name in ("self.query", "self.key", "self.value", "output.dense")} | {"intermediate.dense": [3, 2],
    "output.dense": [2, 3]}
NORMS = ["embeddings", "encoder.layer.0.attention.output", "encoder.layer.0.output"]
MODEL = {f"embeddings.{name}_embeddings.weight": [rows, 2] for name,
    rows in {"word": 5, "position": 4, "token_type": 2}.items()}
MODEL |= {f"encoder.layer.0.{name}.weight": shape for name,
    shape in LINEAR.items()} | {f"encoder.layer.0.{name}.bias": shape[:1] for name, shape in LINEAR.items()}
MODEL |= {f"{name}.LayerNorm.{part}": [2] for name in NORMS for part in ("weight", "bias")}
OFFSETS = '"data_offsets":'
# What a number, a name or a type may become.
NUMBERS = ["-0", "-1", "00", "1.0", "1e0", "0.0", "+1", "2147483648", "9223372036854775808", "18446744073709551616",
    "null", '"1"', "[]", "true", " 1 "]
TEXTS = ['"F8_E4M3"', '"f32"', '"F4"', '"U64"', '"C64"', '"__metadata__"', '"\\u0000"', '"\\ud800"', '"\\ud83d\\ude00"',
    '"e\u0301"', "null", "1", '"dtype"', '"shape"']


def finite(count, kind, chance):
    """Random bits with the highest bit of the exponent gone: no infinities."""
    data = bytearray(chance.randbytes(count * SIZES[kind]))
    for last in range(SIZES[kind] - 1, len(data), SIZES[kind]):
        data[last] &= 0xBF if "F" in kind else 0xFF
    return bytes(data)


def quoted(text, chance):
    """A JSON string, with some characters escaped."""
    if chance.random() < 0.5:
        return json.dumps(text)
    return '"' + "".join(f"\\u{ord(letter):04x}" if letter.isascii() and chance.random() < 0.04 else letter
        for letter in text) + '"'


def right(chance):
    """The members of a header, each a list of pieces of text, and the data."""
    shapes = {f"bert.{name}": shape for name, shape in MODEL.items()}
    for number in range(chance.randint(0, 6)):
        shapes[f"head.{chance.choice('aé漢😀')}{number}"] = chance.choice(
            [[], [0], [3, 0, 2], [1], [chance.randint(1, 9)], [1] * 8])
    names, members, data = list(shapes), [], b""
    chance.shuffle(names)
    for name in names:
        kind, shape = chance.choice(list(SIZES)), shapes[name]
        begin, data = len(data), data + finite(math.prod(shape), kind, chance)
        fields = [('"dtype":', f'"{kind}"'), ('"shape":', json.dumps(shape)), (OFFSETS, f"[{begin},{len(data)}]")]
        chance.shuffle(fields)
        members.append([quoted(name, chance), ":{"] + [piece for field in fields for piece in (*field, ",")][:-1]
            + ["}"])
    if chance.random() < 0.5:
        members.append(
            ['"__metadata__"', ":{", *['"format":"pt"', ",", f'"é{chance.random()}":"\\n"'][:chance.choice([0, 1, 3])],
                "}"])
    chance.shuffle(members)
    return members, data


def file(members, data, chance):
    """The whole, with a space here and there."""
    text = ",".join("".join(piece + " " * (chance.random() < 0.04) for piece in member) for member in members)
    header = ("{" + text + "}" + " " * chance.randint(0, 9)).encode()
    return struct.pack("<Q", len(header)) + header + data


def mutant(members, data, chance):
    """A file with one or two things changed."""
    members, data = [list(member) for member in members], bytearray(data)
    late = []
    for _ in range(chance.choice([1, 1, 2])):
        member, change = chance.choice(members), chance.randrange(13)
        places = [(index, found) for index, piece in enumerate(member) if piece.startswith("[")
            for found in re.finditer("[0-9]+", piece)]
        if change < 2 and places:
            index, found = chance.choice(places)
            value = chance.choice(NUMBERS) if change == 0 else str(
                max(0, int(found[0]) + chance.choice([-4, -2, -1, 1, 2, 4, 8])))
            member[index] = member[index][:found.start()] + value + member[index][found.end():]
        elif change == 2 and OFFSETS in member:
            at, step = member.index(OFFSETS) + 1, chance.choice([-4, -1, 1, 2, 8])
            member[at] = re.sub("[0-9]+", lambda found: str(int(found[0]) + step), member[at])
        elif change == 3:
            strings = [index for index, piece in enumerate(member) if piece.startswith('"')] or [0]
            member[chance.choice(strings)] = chance.choice(TEXTS + [f'"{kind}"' for kind in SIZES])
        elif change == 4:
            members.insert(chance.randrange(len(members)), chance.choice([member[:1], ['"head.copy"']]) + member[1:])
        elif change == 5:
            members.remove(member)
        elif change == 6:
            at = chance.randrange(len(member))
            member[at:at + 1] = chance.choice([[], [member[at]] * 2, [member[at].strip("{}[]")]])
        elif change == 7:
            at = chance.randint(0, len(data))
            data[at:at + chance.randint(0, 2)] = chance.randbytes(chance.randint(0, 2))
        elif change < 10:
            other, at = chance.choice(members), chance.randrange(min(map(len, members)))
            member[at], other[at] = other[at], member[at]
        elif change == 10:
            zero = chance.choice(["-0", "00", "0.0", "0e0"])
            members = [[re.sub(r"^\[0\b", f"[{zero}", piece) for piece in each] for each in members]
        else:
            late.append(change)
    whole = bytearray(file(members, data, chance))
    header = struct.unpack("<Q", whole[:8])[0]
    for change in late:
        if change == 11:
            whole[chance.randrange(8 + header)] ^= 1 << chance.randrange(8)
        else:
            whole[:8] = struct.pack("<Q", header + chance.choice([-8, -1, 1, 8, 1 << 40, 1 << 63, -header]))
    return bytes(whole)


def loaded(content):
    """The tensors as the reference sees them, by name; None if it refuses them."""
    try:
        return {name: (tensor["dtype"], list(tensor["shape"]), bytes(tensor["data"])) for name,
            tensor in safetensors.deserialize(content)}
    except safetensors.SafetensorError:
        return None


def fingerprint(tensors):
    """As Checkpoint.fingerprint() says."""
    keys = ["hidden_act", "layer_norm_eps", "model_type", "num_attention_heads", "pad_token_id",
        "position_embedding_type"]
    lines = ["dovetail base 1"] + [f"{key} {json.dumps(CONFIG[key])}" for key in keys]
    for name in sorted(MODEL):
        kind, shape, data = tensors.get("bert." + name, ("none", [], b""))
        lines.append(f"{name} {kind} {shape} {hashlib.sha256(data).hexdigest()}")
    return hashlib.sha256("".join(line + "\n" for line in lines).encode()).hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hub")
    parser.add_argument("--count", type=int, default=300)
    options = parser.parse_args()
    counts = {"accepted": 0, "refused": 0, "refused, and read by safetensors": 0}
    wrong = []
    with tempfile.TemporaryDirectory(prefix="dovetail-safetensors-") as work:
        folder = pathlib.Path(work, "model")
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(CONFIG))
        for number in range(5 * options.count):
            if number % 5 == 0:
                chance = random.Random(number)
                members, data = right(chance)
            content = mutant(members, data, chance) if number % 5 else file(members, data, chance)
            (folder / "model.safetensors").write_bytes(content)
            result = subprocess.run([options.hub, "model", "add", str(folder), "--as", f"m{number}"],
                env={"HUB_REGISTRY": f"{work}/registry"}, capture_output=True, text=True)
            tensors = loaded(content)
            if result.returncode == 0:
                counts["accepted"] += 1
                if tensors is None or not fingerprint(tensors).startswith(result.stdout.split()[-1]):
                    wrong.append(f"file {number}: "
                        + ("safetensors refuses it" if tensors is None else "safetensors reads other tensors"))
            else:
                counts["refused"] += 1
                counts["refused, and read by safetensors"] += tensors is not None
                if result.returncode != 65 or number % 5 == 0:
                    wrong.append(f"file {number}: {result.stderr.strip()}")
    print("files of safetensors: " + "; ".join(f"{name}: {count}" for name, count in counts.items())
        + f"; wrong: {len(wrong)}")
    for fault in wrong:
        print(f"WRONG: {fault}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
