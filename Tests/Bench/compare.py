"""Time Dovetail and its peers in turn, A B A B, and print the ratios.

    python3 compare.py BENCH MODELS SCRIPTS [--threads N] [--seconds S] [--interval SHARE] [--most ROUNDS]
                       [--workload NAME ...] [--contest OURS:PEER ...] [--history FOLDER]

BENCH    the bench binary
MODELS   what make_models.py of the peers' scripts wrote
SCRIPTS  the folder of the peers' scripts (peer_adapters.py, peer_onnx.py, peer_openvino.py)

A contest is a precision of ours and a peer, such as float32:openvino-f32, float32:onnx-fp32, float32:torch-float32,
bfloat16:openvino-bf16, int8:openvino-int8; the peer dovetail-float32 is our own float32. Each round runs ours, then the
peer, in a process of its own. Rounds are repeated until the interval that holds the median of the ratios with 95 %
confidence is narrower than the share given (5 %), or there have been too many: then the machine is too busy, and the
line says so.

Every result is added to FOLDER/PROCESSOR.jsonl: the processor's model, its instruction sets, the governor, date and
commit.
"""
import argparse, datetime, json, math, os, pathlib, platform, re, statistics, subprocess, sys

cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
cli.add_argument("bench", type=pathlib.Path)
cli.add_argument("models", type=pathlib.Path)
cli.add_argument("scripts", type=pathlib.Path)
cli.add_argument("--python", default=sys.executable, help="the interpreter that has the peers")
cli.add_argument("--threads", type=int, default=1)
cli.add_argument("--seconds", type=float, default=3)
cli.add_argument("--interval", type=float, default=0.05,
    help="how wide the interval of a ratio may be, as a share of it")
cli.add_argument("--most", type=int, default=15, help="rounds after which the machine is too busy")
cli.add_argument("--workload", action="append")
cli.add_argument("--contest", action="append")
cli.add_argument("--history", type=pathlib.Path, default=pathlib.Path(__file__).with_name("history"))

LEAST = 6  # rounds: the range of fewer holds the median with less than 95 % confidence
SCRIPTS = {"torch": ("peer_adapters.py", "--dtype"), "onnx": ("peer_onnx.py", "--variant"),
    "openvino": ("peer_openvino.py", "--variant")}


def interval(ratios):
    """The narrowest pair of ordered ratios that holds the median with 95 % confidence, whatever their distribution."""
    ratios, n, below, rank = sorted(ratios), len(ratios), 0.0, 0
    while below + math.comb(n, rank) / 2**n <= 0.025:
        below += math.comb(n, rank) / 2**n
        rank += 1
    first = max(rank - 1, 0)
    return ratios[first], ratios[n - 1 - first]


def seconds(args, command, workload):
    """The median time of one workload, or None where a contestant cannot run it."""
    command = [*map(str, command), str(args.models), "--threads", str(args.threads), "--seconds", str(args.seconds),
        "--workload", workload]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [json.loads(l) for l in done.stdout.splitlines() if l.startswith("{")]
    if done.returncode or not lines:
        print(f"{' '.join(command)}: {done.stderr.strip().splitlines()[-1:] or 'no answer'}", file=sys.stderr)
        return None
    return lines[-1]["seconds"]


def ours(args, precision):
    return [args.bench, "--precision", precision]


def peer(args, name):
    engine, variant = name.split("-")
    if engine == "dovetail":
        return ours(args, variant)
    script, option = SCRIPTS[engine]
    return [args.python, args.scripts / script, option, variant]


def rounds(args, contest, workload):
    """Pairs of seconds, ours and the peer's, until their ratio is known well enough."""
    precision, other = contest.split(":")
    pairs = []
    while len(pairs) < args.most:
        pair = seconds(args, ours(args, precision), workload), seconds(args, peer(args, other), workload)
        if None in pair:
            return []
        pairs.append(pair)
        if len(pairs) >= LEAST:
            low, high = interval([b / a for a, b in pairs])
            if high - low <= args.interval * low:
                break
    return pairs


def processor():
    """What the history is kept by, and what else says how fast it was."""
    def text(path, pattern=r"(.*)"):
        try:
            return re.search(pattern, pathlib.Path(path).read_text())[1].strip()
        except (OSError, TypeError):
            return None

    flags = set((text("/proc/cpuinfo", r"(?:flags|Features)\s*: (.*)") or "").split())
    wanted = ["avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "asimd", "asimddp", "i8mm", "bf16"]
    return {
        "processor": text("/proc/cpuinfo", r"model name\s*: (.*)") or platform.machine(),
        "family": text("/proc/cpuinfo", r"cpu family\s*: (.*)"), "model": text("/proc/cpuinfo", r"\nmodel\s*: (.*)"),
        "flags": [flag for flag in wanted if flag in flags], "isa": os.environ.get("HUB_ISA", "best"),
        "governor": text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
    }


def commit():
    done = subprocess.run(["git", "-C", str(pathlib.Path(__file__).parent), "describe", "--always", "--dirty"],
        capture_output=True, text=True)
    return done.stdout.strip() or None


def keep(args, machine, line):
    args.history.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^a-z0-9]+", "-",
        f"{machine['processor']} {machine['family'] or ''} {machine['model'] or ''}".lower()).strip("-")
    with open(args.history / f"{name}.jsonl", "a") as file:
        file.write(json.dumps({"date": datetime.date.today().isoformat(), "commit": commit(), **line, **machine})
            + "\n")


def main():
    args = cli.parse_args()
    workloads = args.workload or ["base_8x128", "classify_1x32", "classify_8x128", "classify_ragged32"]
    contests = args.contest or ["float32:torch-float32", "float32:onnx-fp32", "float32:openvino-f32", "int8:onnx-int8",
        "bfloat16:dovetail-float32"]
    machine = processor()
    print("| workload | Dovetail | against | seconds | ratio | rounds |\n|---|---|---|---|---|---|")
    for contest in contests:
        for workload in workloads:
            pairs = rounds(args, contest, workload)
            if not pairs:
                continue
            precision, other = contest.split(":")
            mine, theirs = (statistics.median(column) for column in zip(*pairs))
            ratios = [b / a for a, b in pairs]
            ratio, (low, high) = statistics.median(ratios), interval(ratios)
            busy = len(pairs) < LEAST or high - low > args.interval * low
            note = ", too busy to say" if busy else ""
            print(f"| {workload} | {precision} {mine:.3f} s | {other} | {theirs:.3f} | **{ratio:.2f}x** ({low:.2f} to {high:.2f}{note}) | {len(pairs)} |", flush=True)
            keep(args, machine, {
                "workload": workload, "precision": precision, "peer": other, "threads": args.threads, "seconds": mine,
                "peer_seconds": theirs, "ratio": round(ratio, 4), "interval": [round(low, 4), round(high, 4)],
                "rounds": len(pairs), "busy": busy,
            })


if __name__ == "__main__":
    main()
