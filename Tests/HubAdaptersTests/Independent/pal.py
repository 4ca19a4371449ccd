"""Projected attention layers: LN(FFN(a) + a + TS(x)), x being the layer's input."""

import numpy as np
from tiny import *

SIZE, COUNT = 6, 2


def cases(w):
    def task(a, i, x, attends, shares):
        p = f"layers.{i}.feed_forward."
        q = "shared." if shares else p
        small = linear(a, q + "down", x)
        if not attends:
            return linear(a, q + "up", gelu(small))
        mixed = heads(linear(a, p + "query", small), linear(a, p + "key", small), linear(a, p + "value", small), COUNT)
        return gelu(linear(a, q + "up", mixed))

    def hidden(a, ids, attends, shares):
        def adapted(w, i, x):
            y = attention_norm(w, i, attention(w, i, x) + x)
            return output_norm(w, i, feed_forward(w, i, y) + y + task(a, i, x, attends, shares))

        return run(w, ids, adapted)[-1]

    for name, attends, shares in [("pal", True, True), ("pal_low_rank", False, False),
        ("pal_own_projections", True, False)]:
        shapes = dense("shared.down", HIDDEN, SIZE) | dense("shared.up", SIZE, HIDDEN) if shares else {}
        for i in range(LAYERS):
            p = f"layers.{i}.feed_forward."
            if not shares:
                shapes |= dense(p + "down", HIDDEN, SIZE) | dense(p + "up", SIZE, HIDDEN)
            if attends:
                shapes |= dense(p + "query", SIZE, SIZE) | dense(p + "key", SIZE, SIZE) | dense(p + "value", SIZE, SIZE)
        a = draw(np.random.default_rng(4), shapes)
        configuration = {"architecture": "pal", "size": SIZE, "heads": COUNT, "attention": attends}
        if attends != shares:
            configuration["shared_projections"] = shares
        yield name, configuration, a, lambda ids, a=a, attends=attends, shares=shares: hidden(a, ids, attends, shares)
