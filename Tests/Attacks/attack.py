"""Gives every hostile file that make.py knows to `hub install`, and every odd one that is right.

    python3 Tests/Attacks/attack.py HUB

A hostile one must be refused with one error, within 10 s of the processor and 192 MiB, and must leave nothing, run
nothing and change nothing; an odd one must be installed as the same adapter as the usual one.
"""

import hashlib
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile

import make

SECONDS, MEBIBYTES = 10, 192


def snapshot(folder):
    """Every file with its digest, but for the lock of the registry, which says nothing."""
    paths = sorted(path for path in pathlib.Path(folder).rglob("*") if not path.is_symlink() and path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.name != "lock"}


def bounded():
    """Addresses for no more than a program needs, whatever a file says of its size."""
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


def install(program, work, file, umask=0o022):
    """Status, output, errors, seconds of the processor, mebibytes."""
    environment = {"HUB_REGISTRY": f"{work}/registry", "HOME": f"{work}/home", "TMPDIR": f"{work}/tmp",
        "PATH": f"{work}/traps"}
    with open(f"{work}/output", "w+b") as output, open(f"{work}/errors", "w+b") as errors:
        process = subprocess.Popen([program, "install", file, "--as", "a"], env=environment, cwd=f"{work}/home",
            stdout=output, stderr=errors, umask=umask, preexec_fn=bounded)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0), errors.seek(0)
        return process.returncode, output.read().decode(), errors.read().decode(
            ), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def faults_of_refusal(program, work, data, costs):
    file = pathlib.Path(f"{work}/in/file")
    file.write_bytes(data)
    before = snapshot(work)
    status, output, errors, seconds, memory = install(program, work, str(file))
    costs.append((seconds, memory))
    for name in "output", "errors":
        os.remove(f"{work}/{name}")
    after = snapshot(work)
    if status not in (64, 65, 66, 77):
        yield f"status {status}"
    if output or not errors.startswith("hub: error: "):
        yield f"no plain refusal: {output[:80]} {errors[:80]!r}"
    if any(ord(letter) < 32 and letter != "\n" for letter in errors) or "\u202e" in errors:
        yield "speaks to the terminal"
    if seconds > SECONDS or memory > MEBIBYTES:
        yield f"{seconds:.1f} s, {memory:.0f} MiB"
    if after != before:
        yield f"changed {sorted(set(after.items()) ^ set(before.items()))[:3]}"
        shutil.rmtree(f"{work}/registry", ignore_errors=True)


def faults_of_modes(registry):
    """Folders are ours alone, the index too, and blobs read only, whatever the umask or the archive says."""
    for path in pathlib.Path(registry).rglob("*"):
        mode = path.stat().st_mode & 0o7777
        expected = 0o700 if path.is_dir() else 0o400 if "blobs" in path.parts else 0o600
        if mode != expected:
            yield f"{path.relative_to(registry)} has the mode {mode:o}"


def main():
    program = os.path.abspath(sys.argv[1])
    wrong, costs = [], []
    with tempfile.TemporaryDirectory(prefix="dovetail-attacks-") as work:
        for folder in "in", "home", "tmp", "traps":
            os.mkdir(f"{work}/{folder}")
        for group, name, data in make.attacks(f"{work}/home/canary"):
            wrong += [f"{group}: {name}: {fault}" for fault in faults_of_refusal(program, work, data, costs)]
        digests = {}
        file = pathlib.Path(f"{work}/in/file")
        for odd, (name, data, is_same) in enumerate(make.oddities(), 1):
            file.write_bytes(data)
            status, output, errors, *_ = install(program, work, str(file), umask=(0, 0o022, 0o777)[odd % 3])
            if status:
                wrong.append(f"odd: {name}: refused: {errors}")
            elif is_same:
                digests.setdefault(output.split("\t")[4], []).append(name)
            wrong += [f"odd: {name}: {fault}" for fault in faults_of_modes(f"{work}/registry")]
            shutil.rmtree(f"{work}/registry", ignore_errors=True)
        if len(digests) != 1:
            wrong.append(f"odd: the same adapter has the digests {digests}")
    slowest, largest = (max(values) for values in zip(*costs))
    print(f"attacks: {len(costs)}, at most {slowest:.2f} s of the processor and {largest:.0f} MiB; odd ones: {odd}; wrong: {len(wrong)}")
    for fault in wrong:
        print(f"WRONG: {fault}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
