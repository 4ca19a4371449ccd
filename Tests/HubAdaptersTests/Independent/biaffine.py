"""The biaffine parser of AdapterHub (Glavaš and Vulić 2021): words are the means of their pieces, and the first token
is the root. UDapter's has layers before it that are generated from a language's vector."""

import numpy as np
from tiny import *

RELATIONS = 3
# The pieces of each word, by text; the last text has no word.
SPANS = [[(1, 2), (2, 4)], [(1, 2)], []]


ARC, RELATION, VECTOR = 4, 3, 2


def parsed(w, a, side):
    """Scores of all pairs, `side(name, x)` being what is compared of a vector."""
    scores = []
    for ids, spans in zip(TEXTS, SPANS):
        hidden = run(w, ids)[-1]
        words = [hidden[first:end].mean(0) for first, end in spans]
        for word in words:
            arc, relation = (np.append(side(name + ".dependent", word), 1) for name in ["arcs", "relations"])
            for head in [hidden[0]] + words:
                y = np.append(side("relations.head", head), 1)
                scores.append([arc @ a["arcs.weight"][0] @ side("arcs.head", head)]
                    + [relation @ u @ y for u in a["relations.weight"]])
    return np.array(scores)


def cases(w):
    labels = {"num_labels": RELATIONS, "label2id": {"nsubj": 0, "obj": 1, "root": 2}}
    shapes = {"arcs.weight": (1, HIDDEN + 1, HIDDEN), "relations.weight": (RELATIONS, HIDDEN + 1, HIDDEN + 1)}
    a = draw(np.random.default_rng(8), shapes)
    yield "biaffine", {"head_type": "dependency_parsing"} | labels, a, parsed(w, a, lambda name, x: x)

    shapes = {"arcs.weight": (1, ARC + 1, ARC), "relations.weight": (RELATIONS, RELATION + 1, RELATION + 1),
        "languages.values": (2, VECTOR)}
    for name, size in [("arcs", ARC), ("relations", RELATION)]:
        for part in ["dependent", "head"]:
            shapes |= {f"{name}.{part}.weight": (VECTOR, size, HIDDEN), f"{name}.{part}.bias": (VECTOR, size)}
    a = draw(np.random.default_rng(10), shapes)
    e = a["languages.values"][1]

    def side(name, x):
        y = sum(e[k] * (a[name + ".weight"][k] @ x + a[name + ".bias"][k]) for k in range(VECTOR))
        return np.where(y > 0, y, np.expm1(np.minimum(y, 0)))

    configuration = {"arc_size": ARC, "relation_size": RELATION, "languages": ["de", "yo"], "language": "yo",
        "language_size": VECTOR}
    yield "udapter_parser", {"head_type": "udapter_parsing"} | labels | configuration, a, parsed(w, a, side)
