"""LHUC: every column behind a layer times 2σ(r)."""

import numpy as np
from tiny import *


def cases(w):
    a = draw(np.random.default_rng(3), {f"layers.{i}.layer.amplitudes": (HIDDEN,) for i in [0, 2]})

    def adapted(w, i, x):
        y = layer(w, i, x)
        return y if i == 1 else y * 2 * sigmoid(a[f"layers.{i}.layer.amplitudes"])

    yield "lhuc", {"architecture": "lhuc", "leave_out": [1]}, a, lambda ids: run(w, ids, adapted)[-1]
