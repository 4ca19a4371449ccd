"""Adds base models that lie to a registry: GGUF files and folders of Hugging Face's kind, each made from a good one by
one change.

    python3 Tests/Attacks/models.py HUB

Each must be refused with a sentence and a status of sysexits.h, within bounds of time and memory, and leave the
registry as it was.
"""
import json
import pathlib
import resource
import struct
import subprocess
import sys
import tempfile

LIMIT = 20 << 30, 20  # bytes of address space, seconds of the processor
WIDTH, INNER, WORDS, HEADS = 8, 12, 16, 2


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<Q", len(data)) + data


def value(kind, content):
    return struct.pack("<I", kind) + content


def integer(number):
    return value(4, struct.pack("<I", number))


def real(number):
    return value(6, struct.pack("<f", number))


METADATA = {
    "general.architecture": value(8, text("llama")), "llama.embedding_length": integer(WIDTH),
    "llama.feed_forward_length": integer(INNER), "llama.block_count": integer(1), "llama.context_length": integer(32),
    "llama.attention.head_count": integer(HEADS), "llama.attention.layer_norm_rms_epsilon": real(1e-5),
}
SHAPES = {
    "token_embd.weight": [WIDTH, WORDS], "output_norm.weight": [WIDTH], "blk.0.attn_norm.weight": [WIDTH],
    "blk.0.ffn_norm.weight": [WIDTH], "blk.0.attn_q.weight": [WIDTH, WIDTH], "blk.0.attn_k.weight": [WIDTH, WIDTH],
    "blk.0.attn_v.weight": [WIDTH, WIDTH], "blk.0.attn_output.weight": [WIDTH, WIDTH],
    "blk.0.ffn_gate.weight": [WIDTH, INNER], "blk.0.ffn_up.weight": [WIDTH, INNER],
    "blk.0.ffn_down.weight": [INNER, WIDTH],
}


def gguf(metadata=None, shapes=None, counts=None, version=3, offset=None, kind=0, data=None, magic=b"GGUF"):
    metadata, shapes = METADATA | (metadata or {}), SHAPES | (shapes or {})
    metadata = {key: content for key, content in metadata.items() if content is not None}
    shapes = {name: shape for name, shape in shapes.items() if shape is not None}
    tensors, infos, contents = counts[0] if counts else len(shapes), b"", b""
    for name, shape in shapes.items():
        place = len(contents) if offset is None else offset
        infos += text(name) + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", size) for size in shape)
        infos += struct.pack("<IQ", kind, place)
        size = 4
        for count in shape:
            size *= count
        if size < 1 << 20:
            contents += struct.pack("<f", 0.5) * (size // 4)
            contents += bytes(-len(contents) % 32)
    head = magic + struct.pack("<IQQ", version, tensors, counts[1] if counts else len(metadata))
    head += b"".join(text(key) + content for key, content in metadata.items()) + infos
    return head + bytes(-len(head) % 32) + (contents if data is None else data)


def attacks():
    good = gguf()
    yield "nothing", b""
    yield "another magic", gguf(magic=b"GGUG")
    yield "version 1", gguf(version=1)
    yield "version 2^31", gguf(version=1 << 31)
    for cut in (5, 20, 60, len(good) // 2, len(good) - 1):
        yield f"cut at {cut}", good[:cut]
    for name, counts in {"2^63 tensors": (1 << 63, 7), "2^40 tensors": (1 << 40, 7), "2^63 keys": (11, 1 << 63),
        "one key more": (11, 8),
                         "one tensor more": (12, 7)}.items():
        yield name, gguf(counts=counts)
    yield "a string of 2^62 bytes", gguf({"general.name": value(8, struct.pack("<Q", 1 << 62))})
    yield "a key of bytes that are no text", gguf() [:24] + text(b"\xff\xfe") + gguf()[24:]
    yield "an array of 2^61 strings", gguf({"x": value(9, struct.pack("<IQ", 8, 1 << 61))})
    yield "arrays in arrays", gguf({"x": value(9, struct.pack("<IQ", 9, 1) * 400)})
    yield "a value of an unknown type", gguf({"x": value(99, b"1234")})
    yield "another architecture", gguf({"general.architecture": value(8, text("x" * 70))})
    yield "no architecture", gguf({"general.architecture": None})
    yield "an architecture that is a number", gguf({"general.architecture": integer(3)})
    for key in ("embedding_length", "feed_forward_length", "block_count", "context_length", "attention.head_count"):
        for number in (0, (1 << 32) - 1) + (() if key == "context_length" else (3,)):
            yield f"{key} {number}", gguf({f"llama.{key}": integer(number)})
        yield f"no {key}", gguf({f"llama.{key}": None})
    yield "more heads for keys", gguf({"llama.attention.head_count_kv": integer(64)})
    yield "epsilon not a number", gguf({"llama.attention.layer_norm_rms_epsilon": real(float("nan"))})
    yield "frequencies of zero", gguf({"llama.rope.freq_base": real(0)})
    yield "scaled in another way", gguf({"llama.rope.scaling.type": value(8, text("yarn"))})
    yield "an offset beyond the end", gguf(offset=1 << 50)
    yield "an offset that wraps", gguf(offset=(1 << 64) - 32)
    yield "an offset off its alignment", gguf(offset=3)
    yield "an alignment of zero", gguf({"general.alignment": integer(0)})
    yield "an alignment of 2^31", gguf({"general.alignment": integer(1 << 31)})
    yield "tensors of an unknown type", gguf(kind=77)
    yield "blocks that do not fill a row", gguf(kind=2)
    for name, shape in {"no dimension": [], "nine dimensions": [1] * 9, "a size of 2^63": [1 << 63, 8],
        "sizes that wrap": [1 << 32, 1 << 32],
                        "a size of zero": [0, 8], "a narrower matrix": [4, 8]}.items():
        yield name, gguf(shapes={"blk.0.attn_q.weight": shape})
    yield "a tensor less", gguf(shapes={"blk.0.ffn_up.weight": None})
    yield "a tensor too many", gguf(shapes={"blk.7.ffn_up.weight": [WIDTH, INNER]})
    yield "a tensor of no use", gguf(shapes={"evil.weight": [WIDTH]})
    yield "numbers that are none", gguf(data=struct.pack("<f", float("nan")) * 2000)


CONFIGURATION = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "vocab_size": 4, "n_embd": 4, "n_layer": 1,
    "n_head": 2, "n_positions": 4}


def folders():
    for key, number in {"n_layer": 1 << 40, "n_embd": -4, "n_head": 3, "vocab_size": 1 << 62, "n_positions": 0,
        "n_inner": 0}.items():
        yield f"gpt2 {key} {number}", {"config.json": CONFIGURATION | {key: number}}
    llama = {"model_type": "llama", "num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 2,
        "intermediate_size": 8, "vocab_size": 4}
    for changes in ({"num_key_value_heads": 0}, {"num_key_value_heads": 5}, {"head_dim": 7}, {"rope_theta": -1},
        {"rope_scaling": {"type": "warp"}},
                    {"rope_scaling": {"type": "linear", "factor": 0}}, {"rope_scaling": 3}):
        yield f"llama {changes}", {"config.json": llama | changes}
    for changes in ({"num_decoder_layers": 1 << 40}, {"d_kv": 0}, {"relative_attention_num_buckets": 0},
        {"feed_forward_proj": "gated-what"}):
        yield f"t5 {changes}", {
            "config.json": {"model_type": "t5", "d_model": 8, "num_layers": 1, "num_heads": 2, "d_ff": 8,
                "vocab_size": 4} | changes}
    index = {"weight_map": {"transformer.wte.weight": "../../etc/passwd"}}
    yield "a shard elsewhere", {"config.json": CONFIGURATION, "pytorch_model.bin.index.json": index}
    yield "a shard that is not there", {"config.json": CONFIGURATION,
        "pytorch_model.bin.index.json": {"weight_map": {"transformer.wte.weight": "a.bin"}}}
    yield "a pickle that is text", {"config.json": CONFIGURATION,
        "pytorch_model.bin": "cos\nsystem\n(S'touch /tmp/evil'\ntR."}


def bounded():
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT[0], LIMIT[0]))
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT[1], LIMIT[1]))


def main():
    program, wrong, count = sys.argv[1], [], 0
    with tempfile.TemporaryDirectory() as work:
        registry = pathlib.Path(work, "registry")

        def add(folder):
            return subprocess.run([program, "model", "add", folder, "--as", "x", "--registry", registry],
                capture_output=True, preexec_fn=bounded)

        def judge(name, folder):
            run = add(folder)
            said = run.stderr.decode(errors="replace")
            if not (64 <= run.returncode <= 78 and said.startswith("hub: error:") and "/evil" not in said):
                wrong.append(f"{name}: status {run.returncode}: {said[:300]}")
            listed = subprocess.run([program, "model", "list", "--registry", registry], capture_output=True).stdout
            if listed.strip():
                wrong.append(f"{name}: a model was added")
                subprocess.run([program, "model", "remove", "x", "--registry", registry], capture_output=True)

        for name, data in attacks():
            folder = pathlib.Path(work, "gguf")
            folder.mkdir(exist_ok=True)
            (folder / "model.gguf").write_bytes(data)
            judge(f"GGUF: {name}", folder)
            count += 1
        for number, (name, files) in enumerate(folders()):
            folder = pathlib.Path(work, f"folder{number}")
            folder.mkdir()
            for file, content in files.items():
                (folder / file).write_text(content if isinstance(content, str) else json.dumps(content))
            judge(name, folder)
            count += 1
        (pathlib.Path(work, "gguf") / "model.gguf").write_bytes(gguf())
        run = add(pathlib.Path(work, "gguf"))
        if run.returncode != 0:
            wrong.append(f"the good file: {run.stderr.decode(errors='replace')}")
    print("\n".join(wrong) or f"{count} models refused, the good one taken")
    sys.exit(bool(wrong))


main()
