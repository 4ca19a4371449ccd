"""Time Dovetail and its peers in turn, A B A B, and print the ratios.

    python3 compare.py BENCH MODELS SCRIPTS [--threads N] [--rounds N] [--seconds S] [--workload NAME ...]
                       [--contest OURS:PEER ...]

BENCH    the bench binary
MODELS   what make_models.py of the peers' scripts wrote
SCRIPTS  the folder of the peers' scripts (peer_adapters.py, peer_onnx.py, peer_openvino.py)

A contest is a precision of ours and a peer, such as float32:openvino-f32, float32:onnx-fp32, float32:torch-float32,
bfloat16:openvino-bf16, int8:openvino-int8. Each round runs ours, then the peer, in a process of its own; the ratio is that
of the two medians, and the median of the rounds' ratios is printed. Nothing else should run meanwhile.
"""
import argparse, json, pathlib, statistics, subprocess, sys

cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
cli.add_argument("bench", type=pathlib.Path)
cli.add_argument("models", type=pathlib.Path)
cli.add_argument("scripts", type=pathlib.Path)
cli.add_argument("--python", default=sys.executable, help="the interpreter that has the peers")
cli.add_argument("--threads", type=int, default=1)
cli.add_argument("--rounds", type=int, default=5)
cli.add_argument("--seconds", type=float, default=3)
cli.add_argument("--workload", action="append")
cli.add_argument("--contest", action="append")
args = cli.parse_args()
workloads = args.workload or ["base_8x128", "classify_1x32", "classify_8x128", "classify_ragged32"]
contests = args.contest or ["float32:torch-float32", "float32:onnx-fp32", "float32:openvino-f32"]


def seconds(command, workload):
    """The median time of one workload, or None where a contestant cannot run it."""
    command = [*map(str, command), str(args.models), "--threads", str(args.threads), "--seconds", str(args.seconds), "--workload", workload]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [json.loads(l) for l in done.stdout.splitlines() if l.startswith("{")]
    if done.returncode or not lines:
        print(f"{' '.join(command)}: {done.stderr.strip().splitlines()[-1:] or 'no answer'}", file=sys.stderr)
        return None
    return lines[-1]["seconds"]


def ours(precision):
    return [args.bench, *([] if precision == "float32" else ["--precision", precision])]


def peer(name):
    engine, variant = name.split("-")
    script, option = {"torch": ("peer_adapters.py", "--dtype"), "onnx": ("peer_onnx.py", "--variant"), "openvino": ("peer_openvino.py", "--variant")}[engine]
    return [args.python, args.scripts / script, option, variant]


print("| workload | Dovetail | against | seconds | ratio | rounds |\n|---|---|---|---|---|---|")
for contest in contests:
    precision, other = contest.split(":")
    for workload in workloads:
        pairs = []
        for _ in range(args.rounds):
            pair = seconds(ours(precision), workload), seconds(peer(other), workload)
            if None in pair:
                break
            pairs.append(pair)
        if pairs:
            mine, theirs = (statistics.median(column) for column in zip(*pairs))
            ratio = statistics.median(b / a for a, b in pairs)
            low, high = min(b / a for a, b in pairs), max(b / a for a, b in pairs)
            print(f"| {workload} | {precision} {mine:.3f} s | {other} | {theirs:.3f} | **{ratio:.2f}x** ({low:.2f} to {high:.2f}) | {len(pairs)} |", flush=True)
