"""Time from the start of a process to the first answer, and the loading of one more adapter, beside PyTorch's
`adapters`.

    python3 start.py BENCH MODELS [--python PYTHON] [--threads N] [--rounds N]

BENCH    the bench binary
MODELS   what make_models.py of the peers' scripts wrote, with xlmr-base

The first answer is that of a stack of a language and a task adapter with its head to 8 tokens. Ours is the start of the
process and what `bench --load` says of weights that are in its cache; the peer's is its whole process until then. Each
round runs ours, then the peer; files are in the system's cache for both.
"""
import argparse, json, pathlib, statistics, subprocess, sys, time

PEER = """
import sys, time
import torch, transformers
from adapters import XLMRobertaAdapterModel
from adapters.composition import Stack
transformers.logging.set_verbosity_error()
folder, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)
model = XLMRobertaAdapterModel.from_pretrained(folder + "/base").eval()

def load(*names):
    for name in names:
        model.load_adapter(f"{folder}/adapters/{name}", load_as=name, set_active=False, use_safetensors=True)

def answer(language, task):
    model.set_active_adapters(Stack(language, task))
    model.active_head = task
    with torch.inference_mode():
        model(input_ids=torch.tensor([[0, 11, 12, 13, 14, 15, 16, 2]]))

load("lang0", "task0")
answer("lang0", "task0")
print("answered", flush=True)
started = time.perf_counter()
load("task1")
print(time.perf_counter() - started, flush=True)
"""

cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
cli.add_argument("bench", type=pathlib.Path)
cli.add_argument("models", type=pathlib.Path)
cli.add_argument("--python", default=sys.executable, help="the interpreter that has the peer")
cli.add_argument("--threads", type=int, default=1)
cli.add_argument("--rounds", type=int, default=5)
args = cli.parse_args()


def ours():
    started = time.perf_counter()
    subprocess.run([args.bench, "--help"], check=True, capture_output=True)
    start = time.perf_counter() - started
    lines = subprocess.run([args.bench, args.models, "--load", "--threads", str(args.threads)], check=True,
        capture_output=True, text=True).stdout
    times = {line["load"]: line["seconds"] for line in map(json.loads, lines.splitlines())}
    return start + times["from the cache"], times["one more adapter"]


def peer():
    started = time.perf_counter()
    process = subprocess.Popen([args.python, "-c", PEER, args.models / "xlmr-base", str(args.threads)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if process.stdout.readline() != "answered\n":
        sys.exit("the peer did not answer")
    return time.perf_counter() - started, float(process.stdout.readline())


rounds = [(ours(), peer()) for _ in range(args.rounds)]
print("| from zero to | Dovetail | PyTorch adapters | ratio | rounds |\n|---|---|---|---|---|")
for index, name in enumerate(["the first answer", "one more adapter in a loaded model"]):
    pairs = [(mine[index], theirs[index]) for mine, theirs in rounds]
    mine, theirs = (statistics.median(column) for column in zip(*pairs))
    ratios = sorted(b / a for a, b in pairs)
    print(f"| {name} | {mine:.4f} s | {theirs:.4f} s | **{statistics.median(ratios):.0f}x** ({ratios[0]:.0f} to {ratios[-1]:.0f}) | {len(pairs)} |")
