"""Reads the setup of a composition, as the specification (v1/README.md) has its grammar. A tree is the name of a
member, or `base`, or a tuple of a block, its children and its options. What is wrong is a ValueError.
"""

import math
import re

STACKED = ("average", "batch_split", "split", "stack")
INSIDE = {
    "stack": ("average", "batch_split", "fuse", "multi_task", "parallel", "split"),
    "fuse": ("stack",),
    "split": STACKED,
    "batch_split": STACKED,
    "parallel": ("average", "batch_split", "stack"),
    "average": ("batch_split", "split", "stack"),
    "multi_task": STACKED,
}
OPTIONS = {"fuse": ("name",), "split": ("tokens",), "batch_split": ("sequences",), "average": ("weights", "normalize")}
SIGNS = "(),=[]"
BYTES = 65_536
LAYERS = 1024


def need(condition):
    if not condition:
        raise ValueError("not a setup")


def parse(text):
    need(text.isascii() and len(text) <= BYTES)
    tokens = re.findall(r"[(),=\[\]]|[^\s(),=\[\]]+", text)[::-1]
    tree = read(tokens)
    need(not tokens and written(tree) == text)
    return tree


def take(tokens, signs):
    need(tokens and tokens[-1] in signs)
    return tokens.pop()


def word(tokens):
    need(tokens and tokens[-1] not in SIGNS)
    return tokens.pop()


def values(tokens):
    """A word, or words in brackets."""
    if tokens[-1:] != ["["]:
        return [word(tokens)]
    take(tokens, "[")
    found = [word(tokens)]
    while take(tokens, (",", "]")) == ",":
        found.append(word(tokens))
    return found


def read(tokens, depth=0, in_drop=False):
    block = word(tokens)
    if tokens[-1:] != ["("]:
        return block
    take(tokens, "(")
    if block == "drop":
        need(not in_drop)
        layers = {layer for text in values(tokens) for layer in span(text)}
        take(tokens, ",")
        child = read(tokens, depth, in_drop=True)
        take(tokens, ")")
        return "drop", [child], {"layers": sorted(layers)}
    need(block in INSIDE and depth < (3 if block == "stack" else 2))
    children, options = [], {}
    while True:
        child = read(tokens, depth + 1)
        if tokens[-1:] == ["="]:
            take(tokens, "=")
            need(isinstance(child, str) and child in OPTIONS.get(block, ()) and child not in options)
            options[child] = values(tokens)
        else:
            children.append(child)
        if take(tokens, (",", ")")) == ")":
            break
    need(children and all(may_stand(child, block) for child in children))
    return block, children, converted(block, options, len(children))


def may_stand(child, block):
    if child[0] == "drop":
        child = child[1][0]
    return isinstance(child, str) or child[0] in INSIDE[block]


def span(text):
    """The layers of a range such as 3-5."""
    match = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", text)
    need(match)
    first, last = int(match[1]), int(match[2] or match[1])
    need(first <= last < LAYERS)
    return range(first, last + 1)


def converted(block, options, count):
    """The options of a block, as numbers where they are."""
    for key in "tokens", "sequences":
        need((key in options) == (key in OPTIONS.get(block, ())))
        if key in options:
            options[key] = [int(text) for text in options[key]]
            need(len(options[key]) == count and all(0 < number < 2**63 for number in options[key]))
    if "weights" in options:
        weights = options["weights"] = [float(text) for text in options["weights"]]
        need(len(weights) == count and all(map(math.isfinite, weights)))
        total = 0.0
        for weight in weights:
            total += weight
        need(total != 0 or options.get("normalize") == ["false"])
    need(options.get("normalize", ["false"]) == ["false"])
    return options


def written(tree):
    """The one form of a tree."""
    if isinstance(tree, str):
        return tree
    block, children, options = tree
    parts = [written(child) for child in children]
    if block == "drop":
        ranges = spans(options["layers"])
        return f"drop({ranges[0] if len(ranges) == 1 else listed(ranges)}, {parts[0]})"
    for key in OPTIONS.get(block, ()):
        if key in options:
            parts.append(f"{key}={options[key][0] if key in ('name', 'normalize') else listed(options[key])}")
    return f"{block}({', '.join(parts)})"


def listed(parts):
    return f"[{', '.join(map(str, parts))}]"


def spans(layers):
    """Ascending layers in as few ranges as possible."""
    ends = [layer for layer in layers if layer + 1 not in layers]
    starts = [layer for layer in layers if layer - 1 not in layers]
    return [str(start) if start == end else f"{start}-{end}" for start, end in zip(starts, ends)]


def leaves(tree):
    """The names of the adapters, from left to right."""
    if isinstance(tree, str):
        return [] if tree == "base" else [tree]
    return [leaf for child in tree[1] for leaf in leaves(child)]


def fusions(tree):
    """The name of each fusion, and the names of what it mixes: a stack is known by its last adapter."""
    if isinstance(tree, str):
        return []
    own = []
    if tree[0] == "fuse":
        own = [(tree[2].get("name", [""])[0], [leaves(child)[-1] for child in tree[1] if leaves(child)])]
    return own + [found for child in tree[1] for found in fusions(child)]
