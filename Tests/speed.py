"""Write the tables of Speed.md from Tests/Bench/history, or check that they are what this script writes.

    python3 Tests/speed.py [--write]

A table stands below `<!-- table FILE -->`, and has the latest result of each contest in that file, in the order in
which contests first appear. `Tests/Bench/compare.py` adds results. A ratio is the median of the rounds; after it stands
the interval that holds the median with 95 % confidence, or in older results the least and the most of all rounds.
"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
HISTORY = ROOT / "Tests/Bench/history"
PAGE = ROOT / "Sources/Dovetail/Dovetail.docc/Speed.md"
TABLE = re.compile(r"(<!-- table (\S+) -->\n\n)((?:\|.*\n)*)")
HEAD = "| workload | Dovetail | against | seconds | ratio | rounds |\n|---|---|---|---|---|---|\n"


def latest(file):
    """The last line of each contest."""
    results = {}
    for line in (HISTORY / file).read_text().splitlines():
        result = json.loads(line)
        results[tuple(result[key] for key in ["workload", "precision", "peer", "threads"])] = result
    return results.values()


def row(result):
    bounds = result.get("interval") or result.get("range")
    spread = f" ({bounds[0]:.2f} to {bounds[1]:.2f})" if bounds else ""
    spread += " too busy to say" if result.get("busy") else ""
    return (f"| {result['workload']} | {result['precision']} {result['seconds']:.3f} s | {result['peer']} "
        f"| {result['peer_seconds']:.3f} | **{result['ratio']:.2f}x**{spread} | {result.get('rounds', '')} |\n")


def main():
    page = PAGE.read_text()
    shown = {file for _, file, _ in TABLE.findall(page)}
    kept = {path.name for path in HISTORY.glob("*.jsonl")}
    if shown != kept:
        sys.exit(f"{PAGE.relative_to(ROOT)} and {HISTORY.relative_to(ROOT)} differ in {', '.join(sorted(shown ^ kept))}")
    written = TABLE.sub(lambda match: match[1] + HEAD + "".join(map(row, latest(match[2]))), page)
    if "--write" in sys.argv[1:]:
        PAGE.write_text(written)
    elif written != page:
        sys.exit(f"{PAGE.relative_to(ROOT)} has other tables than the history: run python3 Tests/speed.py --write")
    print(f"the tables of speed have what is in {len(kept)} files of history")


main()
