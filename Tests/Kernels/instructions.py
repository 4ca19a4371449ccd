"""Count the instructions of three products with callgrind, and hold them within 3 % of what is written down.

    python3 instructions.py [--write]

Unlike times, counts are the same on a busy machine. They are those of AVX2, the widest set that valgrind knows, and of
one version of the compiler: with another, or without AVX2, they are printed and not judged. --write writes them down
again. Installs valgrind where it is missing (Debian or Ubuntu).
"""
import json, os, pathlib, re, shutil, subprocess, sys

root = pathlib.Path(__file__).resolve().parents[2]
kept = pathlib.Path(__file__).with_name("instructions.json")
build = root / ".build/kernels"
build.mkdir(parents=True, exist_ok=True)
program = build / "workloads"
kernels = root / "Sources/CHubKernels"
names = ["float32_128x768x256", "bfloat16_128x256x1024", "int8_128x768x256"]
TOLERANCE = 0.03

if not re.search(r"\bavx2\b", pathlib.Path("/proc/cpuinfo").read_text()):
    sys.exit(print("SKIPPED: this processor has no AVX2"))
if not shutil.which("valgrind"):
    sudo = [] if os.getuid() == 0 else ["sudo"]
    subprocess.run([*sudo, "apt-get", "update", "-qq"], check=True)
    subprocess.run([*sudo, "apt-get", "install", "-y", "-qq", "valgrind"], check=True, stdout=subprocess.DEVNULL)

compiler = subprocess.run(["clang", "--version"], check=True, capture_output=True,
    text=True).stdout.splitlines()[0].split(" (")[0]
sources = [kernels / "dispatch.c", *sorted((kernels / "isa").glob("*.c")),
    pathlib.Path(__file__).with_name("workloads.c")]
subprocess.run(["clang", "-O3", f"-I{kernels / 'include'}", "-o", program, *sources, "-lm"], check=True)


def count(name):
    command = ["valgrind", "--tool=callgrind", "--toggle-collect=run", "--callgrind-out-file=/dev/null", program,
        "avx2", name]
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        sys.exit(f"{name} cannot be counted:\n{done.stderr}")
    return int(found[1])


counts = {name: count(name) for name in names}
if "--write" in sys.argv[1:]:
    kept.write_text(json.dumps({"compiler": compiler, "instructions": counts}, indent=2) + "\n")
expected = json.loads(kept.read_text())
judged = expected["compiler"] == compiler
failed = False
for name, value in counts.items():
    ratio = value / expected["instructions"][name]
    wrong = judged and abs(ratio - 1) > TOLERANCE
    failed |= wrong
    print(f"{'FAIL' if wrong else 'PASS' if judged else 'SEEN'} {name}: {value} instructions, {ratio:.3f} of what is written down")
if not judged:
    print(f"not judged: the counts are those of {expected['compiler']}, this is {compiler}")
sys.exit(failed)
