"""Bapna and Firat (2019): behind each layer a bottleneck that begins with a layer norm of its own, as the library's
options spell it."""

import numpy as np
from tiny import *


def cases(w):
    configuration = {
        "mh_adapter": False, "output_adapter": True, "original_ln_before": True, "original_ln_after": False,
        "residual_before_ln": False,
        "ln_before": True, "non_linearity": "relu", "reduction_factor": 3,
    }
    shapes = {}
    for i in range(LAYERS):
        p = f"layers.{i}.feed_forward."
        shapes |= {p + "norm_before.weight": (HIDDEN,), p + "norm_before.bias": (HIDDEN,)}
        shapes |= dense(p + "down", HIDDEN, HIDDEN // 3) | dense(p + "up", HIDDEN // 3, HIDDEN)
    a = draw(np.random.default_rng(2), shapes)

    def adapted(w, i, x):
        z, p = layer(w, i, x), f"layers.{i}.feed_forward."
        inner = np.maximum(linear(a, p + "down", norm(a, p + "norm_before", z, 1e-5)), 0)
        return linear(a, p + "up", inner) + z

    yield "bapna_firat", configuration, a, lambda ids: run(w, ids, adapted)[-1]
