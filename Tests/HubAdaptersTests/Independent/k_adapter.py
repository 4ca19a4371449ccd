"""K-Adapter: blocks of transformer layers beside the model, each reading a hidden state and what the block before
gave."""

import numpy as np
from tiny import *

SIZE, COUNT, INSIDE = 8, 2, 10


def block(a, p, x, layers):
    y = linear(a, p + "down", x)
    for n in range(layers):
        q = p + "layers."
        z = attention_norm(a, n, attention(a, n, y, q, COUNT) + y, q, 1e-5)
        y = output_norm(a, n, feed_forward(a, n, z, q) + z, q, 1e-5)
    return linear(a, p + "up", y) + x


def knowledge(a, p, states, read, skip, layers):
    outputs, last = [], 0
    for b, j in enumerate(read):
        last = block(a, f"{p}blocks.{b}.", states[j] + last, layers)
        outputs.append(last)
        if skip and len(outputs) % skip == 0:
            last = last + outputs[len(outputs) // skip]
    return linear(a, p + "dense", np.concatenate([states[-1], last], 1))


def cases(w):
    for name, read, count, skip, layers in [
        ("k_adapter", [0, 2], 1, 0, 2), ("k_adapter_skip", [0, 1, 2, 3], 1, 2, 1), ("k_adapter_two", [1], 2, 0, 1),
    ]:
        shapes = dense("dense", count * HIDDEN, HIDDEN) if count > 1 else {}
        for k in range(count):
            shapes |= dense(f"knowledge.{k}.dense", 2 * HIDDEN, HIDDEN)
            for b in range(len(read)):
                p = f"knowledge.{k}.blocks.{b}."
                shapes |= dense(p + "down", HIDDEN, SIZE) | dense(p + "up", SIZE, HIDDEN)
                for n in range(layers):
                    shapes |= layer_shapes(f"{p}layers.{n}.", SIZE, INSIDE)
        a = draw(np.random.default_rng(5), shapes)

        def hidden(ids, a=a, read=read, count=count, skip=skip, layers=layers):
            states = run(w, ids)
            parts = [knowledge(a, f"knowledge.{k}.", states, read, skip, layers) for k in range(count)]
            return parts[0] if count == 1 else linear(a, "dense", np.concatenate(parts, 1))

        configuration = {
            "architecture": "k_adapter", "adapter_list": read, "adapter_size": SIZE,
            "adapter_transformer_layers": layers,
            "adapter_skip_layers": skip, "num_attention_heads": COUNT, "intermediate_size": INSIDE, "knowledge": count,
        }
        yield name, configuration, a, hidden
