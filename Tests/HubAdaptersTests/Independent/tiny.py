"""A BERT of three layers in numpy, its pieces apart so that a method can put them together in its own way."""

import json
import math

import numpy as np

HIDDEN, LAYERS, HEADS, INNER, WORDS, LENGTH = 12, 3, 2, 16, 12, 8
TEXTS = [[1, 5, 9, 4, 2], [1, 7, 2], [1, 3, 8, 2]]

erf = np.vectorize(math.erf)


def gelu(x):
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def linear(w, name, x):
    return x @ w[name + ".weight"].T + w[name + ".bias"]


def norm(w, name, x, epsilon=1e-12):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon) * w[name + ".weight"] + w[name + ".bias"]


def heads(q, k, v, count):
    """softmax(q kᵀ / √d) v in each of `count` slices of the columns, over all rows."""
    width = q.shape[1] // count
    slices = [slice(i * width, (i + 1) * width) for i in range(count)]
    return np.concatenate([softmax(q[:, s] @ k[:, s].T / math.sqrt(width)) @ v[:, s] for s in slices], 1)


def attention(w, i, x, prefix="encoder.layer.", count=HEADS):
    """The attention's output projection, before residual and norm."""
    p = f"{prefix}{i}.attention."
    mixed = heads(linear(w, p + "self.query", x), linear(w, p + "self.key", x), linear(w, p + "self.value", x), count)
    return linear(w, p + "output.dense", mixed)


def attention_norm(w, i, x, prefix="encoder.layer.", epsilon=1e-12):
    return norm(w, f"{prefix}{i}.attention.output.LayerNorm", x, epsilon)


def feed_forward(w, i, a, prefix="encoder.layer."):
    """The block's second projection, before residual and norm."""
    return linear(w, f"{prefix}{i}.output.dense", gelu(linear(w, f"{prefix}{i}.intermediate.dense", a)))


def output_norm(w, i, x, prefix="encoder.layer.", epsilon=1e-12):
    return norm(w, f"{prefix}{i}.output.LayerNorm", x, epsilon)


def layer(w, i, x):
    a = attention_norm(w, i, attention(w, i, x) + x)
    return output_norm(w, i, feed_forward(w, i, a) + a)


def run(w, ids, layer=layer):
    """The hidden states of one text: behind the embeddings, and behind each layer."""
    e = "embeddings."
    x = w[e + "word_embeddings.weight"][ids] + w[e + "position_embeddings.weight"][: len(ids)] + w[e
        + "token_type_embeddings.weight"][0]
    states = [norm(w, e + "LayerNorm", x)]
    for i in range(LAYERS):
        states.append(layer(w, i, states[-1]))
    return states


def draw(random, shapes):
    """Random weights; those of norms are around one."""
    def values(name, shape):
        noise = random.normal(0, 0.3, shape)
        return (noise
            + (name.endswith("norm.weight") or name.endswith("norm_before.weight")
                or name.endswith("LayerNorm.weight"))).astype(np.float32)

    return {name: values(name, shape) for name, shape in shapes.items()}


def dense(name, inputs, outputs):
    return {name + ".weight": (outputs, inputs), name + ".bias": (outputs,)}


def layer_shapes(prefix, width, inner):
    shapes = {}
    for part in ["query", "key", "value"]:
        shapes |= dense(f"{prefix}attention.self.{part}", width, width)
    shapes |= dense(f"{prefix}attention.output.dense", width, width) | dense(f"{prefix}intermediate.dense", width,
        inner)
    shapes |= dense(f"{prefix}output.dense", inner, width)
    for part in ["attention.output", "output"]:
        shapes |= {f"{prefix}{part}.LayerNorm.{name}": (width,) for name in ["weight", "bias"]}
    return shapes


def base():
    shapes = {"embeddings.word_embeddings.weight": (WORDS, HIDDEN),
        "embeddings.position_embeddings.weight": (LENGTH, HIDDEN)}
    shapes |= {"embeddings.token_type_embeddings.weight": (2, HIDDEN)}
    shapes |= {f"embeddings.LayerNorm.{name}": (HIDDEN,) for name in ["weight", "bias"]}
    for i in range(LAYERS):
        shapes |= layer_shapes(f"encoder.layer.{i}.", HIDDEN, INNER)
    return draw(np.random.default_rng(1), shapes)


CONFIGURATION = {
    "model_type": "bert", "vocab_size": WORDS, "hidden_size": HIDDEN, "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": INNER, "max_position_embeddings": LENGTH, "type_vocab_size": 2, "hidden_act": "gelu",
}


def write(path, configuration, tensors):
    """A safetensors file whose metadata hold the configuration."""
    header, data = {"__metadata__": {"configuration": json.dumps(configuration)}}, b""
    for name, values in tensors.items():
        values = np.ascontiguousarray(values, np.float32)
        header[name] = {"dtype": "F32", "shape": list(values.shape),
            "data_offsets": [len(data), len(data) + values.nbytes]}
        data += values.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)
