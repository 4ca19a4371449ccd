"""AdaMix: one of several down and up projections at random in training; their mean, or the mean of what all choices
give, afterwards."""

import numpy as np
from tiny import *

EXPERTS, SIZE = 3, 4


def mixed(a, p, h, ups, how):
    downs = [(a[f"{p}down.{k}.weight"], a[f"{p}down.{k}.bias"]) for k in range(EXPERTS)]
    upper = [(a[f"{p}up.{k}.weight"], a[f"{p}up.{k}.bias"]) for k in range(ups)]
    expert = lambda d, u: gelu_tanh(h @ d[0].T + d[1]) @ u[0].T + u[1]
    if how == "merged":
        mean = lambda pairs: (sum(p[0] for p in pairs) / len(pairs), sum(p[1] for p in pairs) / len(pairs))
        return expert(mean(downs), mean(upper))
    if how == "ensemble":
        return sum(expert(d, u) for d in downs for u in upper) / (len(downs) * len(upper))
    return expert(downs[how[0]], upper[how[1]])


def cases(w):
    def hidden(a, ids, places, ups, how):
        def adapted(w, i, x):
            y = attention_norm(w, i, attention(w, i, x) + x)
            f = feed_forward(w, i, y)
            if i in places:
                f = f + mixed(a, f"layers.{i}.feed_forward.", f, ups, how)
            return output_norm(w, i, f + y)

        return run(w, ids, adapted)[-1]

    def weights(places, ups):
        shapes = {}
        for i in places:
            for k in range(EXPERTS):
                shapes |= dense(f"layers.{i}.feed_forward.down.{k}", HIDDEN, SIZE)
            for k in range(ups):
                shapes |= dense(f"layers.{i}.feed_forward.up.{k}", SIZE, HIDDEN)
        return draw(np.random.default_rng(6), shapes)

    common = {"architecture": "adamix", "num_experts": EXPERTS, "reduction_factor": 3}
    for name, ups, how in [("adamix", 1, "merged"), ("adamix_ensemble", 1, "ensemble"),
        ("adamix_ensemble_ups", EXPERTS, "ensemble"), ("adamix_ups", EXPERTS, "merged")]:
        a = weights(range(LAYERS), ups)
        configuration = common | {"sharing_up": ups == 1, "inference": how}
        yield name, configuration, a, lambda ids, a=a, ups=ups, how=how: hidden(a, ids, range(LAYERS), ups, how)
    a = weights([1], EXPERTS)
    for k in range(EXPERTS):
        for l in range(EXPERTS):
            yield f"adamix_routed_{k}_{l}", common | {"sharing_up": False,
                "leave_out": [0, 2]}, a, lambda ids, k=k, l=l: hidden(a, ids, [1], EXPERTS, (k, l))


def consistency(first, second):
    kl = lambda p, q: (p * (np.log(p) - np.log(q))).sum(-1).mean()
    p, q = softmax(first), softmax(second)
    return 0.5 * (kl(q, p) + kl(p, q))
