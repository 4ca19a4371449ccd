"""Writes cases/: for each method weights and the hidden states that an implementation of a few lines gives.

    python3 generate.py
"""

import os

import numpy as np
from tiny import *

import adamix, bapna_firat, biaffine, k_adapter, lhuc, pal, udapter

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases")
os.makedirs(folder, exist_ok=True)
w = base()
write(f"{folder}/base.safetensors", CONFIGURATION, w)
for method in [adamix, bapna_firat, k_adapter, lhuc, pal, udapter]:
    for name, configuration, weights, hidden in method.cases(w):
        tensors = {f"adapter.{key}": value for key, value in weights.items()}
        write(f"{folder}/{name}.safetensors", configuration, tensors
            | {"hidden": np.concatenate([hidden(ids) for ids in TEXTS])})
for name, configuration, weights, scores in biaffine.cases(w):
    write(f"{folder}/{name}.safetensors", configuration, {f"head.{key}": value for key, value in weights.items()}
        | {"scores": scores})
first, second = np.random.default_rng(9).normal(size=(2, 4, 3)).astype(np.float32)
write(f"{folder}/consistency.safetensors", {},
    {"first": first, "second": second, "loss": [adamix.consistency(first.astype(float), second.astype(float))]})
