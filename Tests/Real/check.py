"""Ask `hub run` what the Python library was asked, and compare the answers.

    python3 check.py HUB MODEL ARCHIVES EXPECTED [PRECISION]

HUB       the hub binary
MODEL     the folder of the base model (all-MiniLM-L6-v2)
ARCHIVES  a folder of AdapterHub archives; all of them are installed into a registry of their own
EXPECTED  a folder of files as the Python library's answers were recorded: setup, texts or words, labels, logits or
          predicted tags. A file whose adapters are not among the archives is skipped, and that is said.

Every label and tag must be the same, every logit within 1e-3. Exit status 0 when all agree. With a PRECISION (bfloat16
or int8) the answers are allowed to differ: it is for reading what the precision costs.
"""
import json, os, pathlib, re, subprocess, sys, tempfile

hub, model, archives, expected = sys.argv[1], *map(pathlib.Path, sys.argv[2:5])
precision = sys.argv[5] if len(sys.argv) > 5 else "float32"


def run(*arguments, stdin=None):
    done = subprocess.run([hub, *arguments], input=stdin, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"hub {' '.join(arguments)}: exit status {done.returncode}\n{done.stderr}")
    return done.stdout


def argmax(row):
    return max(range(len(row)), key=row.__getitem__)


def compare(case, answers):
    """The number of answers, of different labels, and the largest difference of a logit."""
    different, worst, count = 0, 0.0, 0
    if "words" in case:
        for tags, answer in zip(case["predicted"], answers, strict=True):
            given = [t for t in answer["tags"] if t is not None]
            different += sum(a != b for a, b in zip(tags, given)) + abs(len(tags) - len(given))
            count += len(tags)
    else:
        for logits, answer in zip(case["logits"], answers, strict=True):
            different += answer["label"] != case["labels"][argmax(logits)]
            worst = max(worst, *(abs(a - b) for a, b in zip(logits, answer["logits"], strict=True)))
            count += 1
    return count, different, worst


def accuracy(case, answers):
    if "words" in case:
        pairs = [(g, t) for gold, a in zip(case["gold"], answers) for g, t in zip(gold, a["tags"]) if t is not None]
    else:
        pairs = [(g, a["label"]) for g, a in zip(case["gold"], answers)]
    return sum(g == t for g, t in pairs) / len(pairs)


failed = 0
with tempfile.TemporaryDirectory() as registry:
    os.environ["HUB_REGISTRY"] = registry
    run("model", "add", str(model), "--as", "minilm")
    run("install", *map(str, sorted(archives.glob("*.zip"))))
    installed = {a["name"] for a in json.loads(run("list", "--json"))["adapters"]}
    for path in sorted(expected.glob("*.json")):
        case = json.loads(path.read_text())
        names = set(re.findall(r"[\w-]+", re.sub(r"\b(stack|fuse)\b", "", case["setup"]))) | ({case["head"]}
            if "head" in case else set())
        if not names <= installed:
            print(f"SKIP {path.stem:28} needs {', '.join(sorted(names - installed))}")
            continue
        rows = case.get("texts") or case["words"]
        lines = "".join(json.dumps({"words" if "words" in case else "text": row}) + "\n" for row in rows)
        arguments = ["run", "--model", "minilm", "--setup", case["setup"], "--json", "--max-length", "128",
            "--precision", precision, "--input", "-"]
        answers = [json.loads(l)
            for l in run(*arguments, *(["--head", case["head"]] if "head" in case else []), stdin=lines).splitlines()]
        count, different, worst = compare(case, answers)
        ok = precision != "float32" or different == 0 and worst <= 1e-3
        failed += not ok
        logits = "" if "words" in case else f", logits within {worst:.1e}"
        exact = "" if case.get(
            "part") else f"  accuracy {accuracy(case, answers):.4f} (recorded {case['accuracy']:.4f})"
        print(f"{'PASS' if ok else 'FAIL'} {path.stem:28} {count} answers, {different} different{logits}{exact}")
sys.exit(1 if failed else 0)
