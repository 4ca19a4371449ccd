"""What hub does when the disk is full, when files change while it reads them, and which files it touches at all.

    python3 Tests/Faults/surroundings.py HUB [--rounds N] [--only full|swap|change|trace]

full: registries on file systems of 24 sizes, too small for what is installed; what is there stays whole and can be
listed, and with room again everything works. swap: files of a folder are exchanged for links to others, as fast as it
goes, while the folder is installed: what arrives is what it was, or nothing. change: a file of an installed adapter is
replaced, cut and made longer while it is loaded: the answer is the right one, or an error. trace: no call of an
installation writes outside of the registry, and none of what only reads writes at all. Needs Linux; full needs the
right to mount, trace needs strace.
"""

import argparse
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from faults import FIXTURES, MODEL, WORDS, Fault, Hub, require

REFUSED = (65, 66, 74)
FULL = (73, 74)


def told(status, errors, statuses, where):
    """An error is one of those expected, and says so in words."""
    require(status in statuses and errors.startswith("hub: error: "), f"{where}: ended with {status}: {errors}")


def full(program, work, rounds):
    """24 sizes of a file system from 64 KiB on; a ballast that is taken away makes room again."""
    mount = f"{work}/full"
    os.makedirs(mount)
    for size in [64 + 24 * number for number in range(24)]:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size + 2048}k,mode=700", "none", mount],
            capture_output=True).returncode:
            return "SKIPPED: no right to mount"
        try:
            with open(f"{mount}/ballast", "wb") as ballast:
                os.posix_fallocate(ballast.fileno(), 0, 2048 << 10)
            hub = Hub(program, f"{mount}/hub")
            hub.temporary = f"{work}/full.tmp"
            os.makedirs(hub.temporary, exist_ok=True)
            done = set()
            for name in "abcdef":
                status, _, errors = hub("install", str(FIXTURES / "classifier"), "--as", name)
                done |= {name} if status == 0 else set()
                status == 0 or told(status, errors, FULL, f"{size} KiB")
            try:
                pathlib.Path(mount, "rest").write_bytes(bytes(2 << 20))
            except OSError:
                pass
            listed = lambda: {line.split("@")[0] for line in hub("list", "-q")[1].split()}
            require(listed() == done, f"{size} KiB: {listed()} are listed, {done} were installed")
            require(not done or hub("verify")[0] == 0, f"{size} KiB: something is wrong: {hub('verify')}")
            os.remove(f"{mount}/ballast")
            for name in sorted(set("abcdef") - done):
                require(hub("install", str(FIXTURES / "classifier"), "--as", name)[0] == 0,
                    f"{size} KiB: cannot install when there is room again")
            require(listed() == set("abcdef") and hub("verify")[0] == 0,
                f"{size} KiB: something is wrong when there is room again")
        finally:
            subprocess.run(["umount", mount], check=True)
    return "24 sizes"


class Disturber:
    """Does things again and again while commands run; after the last of them all is well for a moment."""

    def __init__(self, *actions):
        self.actions, self.count, self.ends = actions, 0, False
        self.thread = threading.Thread(target=self.run)

    def run(self):
        chance = random.Random(7)
        while not self.ends:
            for action in self.actions:
                action()
                time.sleep(0.001 * chance.random())
            self.count += len(self.actions)
            time.sleep(0.05 * chance.random())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ends = True
        self.thread.join()


def swap(program, work, rounds):
    hub, folder, other = Hub(program, f"{work}/swap"), f"{work}/honest", f"{work}/other"
    shutil.copytree(FIXTURES / "classifier", folder)
    shutil.copytree(FIXTURES / "classifier", other)
    status, honest, _ = hub("install", folder, "--as", "a", "-q")
    require(status == 0, "cannot prepare")
    weights = next(path.name for path in pathlib.Path(folder).iterdir() if path.suffix in (".bin", ".safetensors")
        and "head" not in path.name)
    target = pathlib.Path(other, "elsewhere")
    target.write_bytes(pathlib.Path(folder, weights).read_bytes())

    def link():
        os.symlink(target, f"{folder}/link")
        os.replace(f"{folder}/link", f"{folder}/{weights}")

    def file():
        shutil.copyfile(target, f"{folder}/file")
        os.replace(f"{folder}/file", f"{folder}/{weights}")

    def directory():
        os.rename(folder, folder + "-away")
        os.rename(folder + "-away", folder)

    taken = 0
    with Disturber(link, file, directory) as disturber:
        while disturber.count < rounds:
            status, output, errors = hub("install", folder, "--as", "a", "-q")
            taken += status == 0
            require(output == (honest if status == 0 else ""), f"swap: installed {output}")
            status == 0 or told(status, errors, REFUSED, "swap")
    require(hub("verify")[0] == 0 and hub("list", "-q")[1].splitlines() == [honest.split("@")[0] + "@1.0.0"],
        "swap: something else is there")
    return f"{disturber.count} swaps, {taken} installations"


def change(program, work, rounds):
    hub, model = Hub(program, f"{work}/change"), f"{work}/model"
    shutil.copytree(MODEL, model)
    pathlib.Path(f"{model}/vocab.txt").write_text("\n".join(WORDS) + "\n")
    require(hub("model", "add", model, "--as", "tiny")[0] == 0, "cannot add a model")
    require(hub("install", str(FIXTURES / "classifier"), "--as", "a")[0] == 0, "cannot prepare")
    command = ["run", "--model", "tiny", "--setup", "a", "--json", "the camera is great"]
    status, answer, errors = hub(*command)
    require(status == 0, f"cannot run: {errors}")
    blob = max(pathlib.Path(hub.folder, "registry/blobs/sha256").glob("*/*"), key=lambda path: path.stat().st_size)
    whole, shard = blob.read_bytes(), str(blob.parent)

    def place(content, mode=0o400):
        fresh = f"{shard}/fresh"
        descriptor = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode)
        os.write(descriptor, content)
        os.close(descriptor)
        os.replace(fresh, blob)

    def spoil():
        os.chmod(blob, 0o600)
        with open(blob, "r+b") as file:
            file.seek(len(whole) // 2)
            file.write(b"\xff" * 64)
        os.chmod(blob, 0o400)

    changes = [
        lambda: os.truncate(blob, len(whole) // 2), lambda: place(whole), lambda: place(whole + b"more"),
        lambda: place(whole), spoil,
        lambda: place(whole), lambda: place(whole[:-8]), lambda: place(whole), lambda: os.truncate(blob, 0),
        lambda: place(whole)]
    answered = 0
    with Disturber(*changes) as disturber:
        while disturber.count < rounds:
            status, output, errors = hub(*command)
            answered += status == 0
            require(status != 0 or output == answer, f"change: another answer: {output}")
            status == 0 or told(status, errors, REFUSED, "change")
    place(whole)
    require(hub(*command)[1] == answer and hub("verify")[0] == 0, "change: it does not answer any more")
    return f"{disturber.count} changes, {answered} answers"


WRITES = r"openat\(.*(?:O_WRONLY|O_RDWR|O_CREAT|O_TRUNC)|(?:mkdir|rename|unlink|(?<!read)link|symlink|chmod|chown|mknod|truncate|utimens|setxattr|creat)\w*\("


def trace(program, work, rounds):
    if not shutil.which("strace"):
        return "SKIPPED: there is no strace"
    hub, log = Hub(program, f"{work}/trace"), f"{work}/trace.log"
    os.makedirs(hub.folder)

    def written(*command):
        watched = ["strace", "-f", "-y", "-qq", "-e", "trace=%file,fchmod,ftruncate", "-o", log, program, *command]
        result = subprocess.run(watched, env=hub.environment(), cwd=hub.temporary, capture_output=True, timeout=120)
        require(result.returncode == 0, f"trace: {command} ended with {result.returncode}: {result.stderr.decode()}")
        calls = [line for line in open(log) if re.search(WRITES, line)
            and not re.search(r"= -1 E|\"/dev/(?:null|urandom)\"", line)]
        return [call for call in calls if f'{hub.folder}/registry' not in call]

    calls = written("install", str(FIXTURES / "classifier"), "--as", "a")
    require(not calls, f"trace: an installation writes elsewhere: {calls}")
    before = hub.state(of_blobs=True)
    for command in ["list"], ["info", "a"], ["verify"], ["search", "a"], ["resolve", "a"], ["history"]:
        written(*command)
        calls = [line for line in open(log) if re.search(WRITES, line) and "= -1 E" not in line]
        require(not calls, f"trace: {command[0]} writes: {calls}")
    require(hub.state(of_blobs=True) == before, "trace: something else is there")
    return "an installation, and six commands that read"


def main():
    phases = {phase.__name__: phase for phase in (full, swap, change, trace)}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hub")
    parser.add_argument("--rounds", type=int, default=10000)
    parser.add_argument("--only", choices=phases)
    options = parser.parse_args()
    faults = []
    with tempfile.TemporaryDirectory(prefix="dovetail-surroundings-") as work:
        for name, phase in phases.items():
            if options.only not in (None, name):
                continue
            try:
                print(f"{name:7} {phase(os.path.abspath(options.hub), work, options.rounds)}", flush=True)
            except Fault as fault:
                faults.append(fault)
    for fault in faults:
        print(f"WRONG: {fault}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
