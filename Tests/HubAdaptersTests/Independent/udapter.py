"""UDapter: Houlsby's adapters, every weight a combination of weights with the language's vector as coefficients."""

import numpy as np
from tiny import *

SIZE, VECTOR, FEATURES, PROJECTION = 4, 3, 5, 7


def cases(w):
    def hidden(a, ids, row, projects):
        e = a["languages.values"][row]
        if projects:
            e = linear(a, "languages.outer", np.maximum(linear(a, "languages.inner", e), 0))

        def adapter(i, place, h):
            generated = {
                f"{layer}.{kind}": sum(e[k] * a[f"layers.{i}.{place}.{layer}.{kind}"][k] for k in range(VECTOR))
                for layer in ["down", "up"] for kind in ["weight", "bias"]
            }
            return linear(generated, "up", gelu(linear(generated, "down", h)))

        def adapted(w, i, x):
            h = attention(w, i, x)
            y = attention_norm(w, i, adapter(i, "attention", h) + h + x)
            f = feed_forward(w, i, y)
            return output_norm(w, i, adapter(i, "feed_forward", f) + f + y)

        return run(w, ids, adapted)[-1]

    for name, projects in [("udapter", False), ("udapter_typology", True)]:
        shapes = {"languages.values": (3, FEATURES if projects else VECTOR)}
        if projects:
            shapes |= dense("languages.inner", FEATURES, PROJECTION) | dense("languages.outer", PROJECTION, VECTOR)
        for i in range(LAYERS):
            for place in ["attention", "feed_forward"]:
                p = f"layers.{i}.{place}."
                shapes |= {p + "down.weight": (VECTOR, SIZE, HIDDEN), p + "down.bias": (VECTOR, SIZE)}
                shapes |= {p + "up.weight": (VECTOR, HIDDEN, SIZE), p + "up.bias": (VECTOR, HIDDEN)}
        a = draw(np.random.default_rng(7), shapes)
        configuration = {"architecture": "udapter", "reduction_factor": 3, "languages": ["de", "tr", "yo"],
            "language": "tr", "language_size": VECTOR}
        if projects:
            configuration |= {"features": FEATURES, "feature_projection": PROJECTION}
        yield name, configuration, a, lambda ids, a=a, projects=projects: hidden(a, ids, 1, projects)
