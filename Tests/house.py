"""Draw the picture of the modules from Package.swift, and check that the documentation shows the same.

    python3 Tests/house.py [--write]

A floor holds what stands on the floor below at the highest. Imports that come by way of another import are left out.
"""
import functools
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "Sources/Dovetail/Dovetail.docc/House.md"
OPENING = "<!-- house -->\n```\n"
PURPOSE = {
    "CArchive": "libarchive", "CZlib": "zlib", "CSQLite": "SQLite", "CCrypto": "libcrypto",
    "CHubKernels": "the SIMD loops, a file an instruction set",
    "HubWords": "compositions, failures, JSON, digests, versions",
    "HubModels": "model families and sites, as data",
    "HubArchive": "archives, with limits",
    "HubWeights": "safetensors, torch pickles, GGUF",
    "HubBundle": "the .adapter format, signatures",
    "HubForeign": "AdapterHub, PEFT <-> bundle",
    "HubRegistry": "local store, resolution, locks, trust",
    "HubTokenizers": "text -> ids",
    "HubGeneration": "text: sampling, beams, constraints",
    "HubTensor": "tensors, tape, a file an operation",
    "HubTransformer": "models, sites, sources of parameters",
    "HubAdapters": "methods, compositions, heads",
    "HubTraining": "optimisers, steps, losses of batches",
    "Dovetail": "open the registry, load a base, compose, answer",
    "hub": "the command line tool",
    "bench": "measures speed",
    "parity-runner": "compares with golden cases",
}


def modules():
    """Each module of Sources and the modules that it imports, other packages aside."""
    package = json.loads(
        subprocess.run(["swift", "package", "dump-package"], cwd=ROOT, check=True, capture_output=True).stdout)
    kept = {target["name"]: target for target in package["targets"] if target["type"] != "test"
        and not (target.get("path") or "").startswith(("Tests/", "Examples/"))}
    names = lambda target: [(part.get("byName") or part.get("target") or [None])[0] for part in target["dependencies"]]
    return {name: {other for other in names(target) if other in kept} for name, target in kept.items()}


def picture(imports):
    @functools.cache
    def below(name):
        """Everything that a module stands on."""
        return imports[name] | {deeper for other in imports[name] for deeper in below(other)}

    @functools.cache
    def floor(name):
        return max((floor(other) + 1 for other in imports[name]), default=0)

    lines, order = [], list(imports)
    for level in sorted({floor(name) for name in imports}, reverse=True):
        for name in sorted((name for name in imports if floor(name) == level), key=order.index):
            direct = {other for other in imports[name] if not any(other in below(third) for third in imports[name])}
            lines.append([str(level), name, " ".join(sorted(direct, key=order.index)), PURPOSE[name]])
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    text, last = "", None
    for line in lines:
        text += "\n" if last and last != line[0] else ""
        shown = [line[0] if line[0] != last else "", *line[1:]]
        text += "  ".join([*(part.ljust(width) for part, width in zip(shown, widths)), shown[3]]).rstrip() + "\n"
        last = line[0]
    return text


def main():
    imports = modules()
    unknown = imports.keys() ^ PURPOSE.keys()
    if unknown:
        sys.exit(f"PURPOSE and Package.swift differ in {', '.join(sorted(unknown))}")
    page = PAGE.read_text()
    before, shown = page.split(OPENING)
    shown, after = shown.split("```", 1)
    drawn = picture(imports)
    if "--write" in sys.argv[1:]:
        PAGE.write_text(before + OPENING + drawn + "```" + after)
    elif shown != drawn:
        sys.exit(f"{PAGE.relative_to(ROOT)} shows another house than Package.swift: run python3 Tests/house.py --write")
    print("the picture of the house is that of Package.swift")


main()
