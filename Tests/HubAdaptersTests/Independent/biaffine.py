"""The biaffine parser of AdapterHub (Glavaš and Vulić 2021): words are the means of their pieces, and the first token is the root."""

import numpy as np
from tiny import *

RELATIONS = 3
# The pieces of each word, by text; the last text has no word.
SPANS = [[(1, 2), (2, 4)], [(1, 2)], []]


def case(w):
    a = draw(np.random.default_rng(8), {"arcs.weight": (1, HIDDEN + 1, HIDDEN), "relations.weight": (RELATIONS, HIDDEN + 1, HIDDEN + 1)})
    arcs, relations = [], []
    for ids, spans in zip(TEXTS, SPANS):
        hidden = run(w, ids)[-1]
        words = [hidden[first:end].mean(0) for first, end in spans]
        for word in words:
            dependent = np.append(word, 1)
            for head in [hidden[0]] + words:
                arcs.append(dependent @ a["arcs.weight"][0] @ head)
                relations.append([dependent @ a["relations.weight"][k] @ np.append(head, 1) for k in range(RELATIONS)])
    configuration = {"head_type": "dependency_parsing", "num_labels": RELATIONS, "label2id": {"nsubj": 0, "obj": 1, "root": 2}}
    return configuration, a, np.concatenate([np.array(arcs)[:, None], relations], 1)
