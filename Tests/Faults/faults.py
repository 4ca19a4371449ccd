"""What becomes of a registry when the program is killed, the disk fails, or the power.

    python3 Tests/Faults/faults.py HUB [--points N] [--only WORD]

Runs each command that writes to a registry again and again, and lets another of its calls fail each time: killed,
no space, an error, half a write, a disk that is full from then on. Then cuts the power behind each call, with what was
not synced gone, or zeros, or there in part. After each: what is listed is what was before or what is afterwards,
nothing is wrong with it, and the command, repeated, does what it should. Last, eight processes write at once while some
are killed. N tries at most that many places for each, evenly spread; all of them otherwise. Needs a C compiler and
Linux.
"""

import argparse
import concurrent.futures
import errno
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

import disk

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE.parent / "HubRegistryTests" / "Fixtures"
MODEL = HERE.parent / "ParityTests" / "Cases" / "bases" / "bert"
WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] the camera is great work ##ing ##s . not".split()
CHANGES = 1  # Calls of this kind and above change something.
WRITES = 3


class Fault(Exception):
    pass


def require(condition, message):
    if not condition:
        raise Fault(message)


class Hub:
    """The program on the registry in a folder of its own."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.temporary = folder + ".tmp"
        os.makedirs(self.temporary, exist_ok=True)

    def environment(self, **plan):
        return {"HUB_REGISTRY": self.folder + "/registry", "HOME": self.temporary, "TMPDIR": self.temporary,
            "PATH": "/usr/bin:/bin", **plan}

    def __call__(self, *arguments, **plan):
        result = subprocess.run(
            [self.program, *arguments], env=self.environment(**plan), cwd=self.temporary, stdin=subprocess.DEVNULL,
            capture_output=True, timeout=120)
        return result.returncode, result.stdout.decode(), result.stderr.decode()

    def state(self, of_blobs=False):
        """What is there, as far as it can be told."""
        lists = [self("list", "-q"), self("model", "list")]
        for status, _, errors in lists:
            require(status in (0, 65), f"cannot be listed ({status}): {errors}")
        verdict = self("verify")[0]
        require(verdict in (0, 1, 65), f"cannot be verified ({verdict})")
        blobs = sorted(str(path.relative_to(self.folder))
            for path in pathlib.Path(self.folder).glob("registry/blobs/sha256/*/*")) if of_blobs else []
        return tuple((status, output.replace(self.folder, "…"), errors.replace(self.folder, "…")) for status, output,
            errors in lists), verdict, blobs

    def clean(self):
        shutil.rmtree(self.temporary, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)


class Scenario:
    """A command, and the registry that it finds."""

    def __init__(self, name, prepare, command, of_blobs=False):
        self.name, self.prepare, self.command, self.of_blobs = name, prepare, command, of_blobs


def scenarios(work):
    model, bundle, pair = f"{work}/tiny", f"{work}/new.adapter", f"{work}/pair.adapter"

    def nothing(hub):
        pass

    def installed(hub):
        for name in "fusion", "classifier":
            require(hub("install", str(FIXTURES / name), "--as", f"old-{name}")[0] == 0, "cannot prepare")

    def removed(hub):
        installed(hub)
        hub("install", bundle)
        hub("remove", "new")

    def with_member(hub):
        installed(hub)
        hub("install", bundle)

    def with_composition(hub):
        hub("install", pair)

    def without_index(hub):
        installed(hub)
        os.remove(hub.folder + "/registry/registry.sqlite")

    def with_damaged_index(hub):
        installed(hub)
        with open(hub.folder + "/registry/registry.sqlite", "r+b") as file:
            file.seek(4096)
            file.write(b"\xa5" * 512)

    def with_model(hub):
        installed(hub)
        hub("model", "add", model, "--copy")

    def older(hub):
        """A registry of the first schema, as the first version made it."""
        installed(hub)
        with sqlite3.connect(hub.folder + "/registry/registry.sqlite") as index:
            for table in "words", "members", "historyFiles", "history", "keyPrefixes", "keys", "signers", "aliases", "catalogue":
                index.execute(f"DROP TABLE {table}")
            index.execute("ALTER TABLE modelFiles DROP COLUMN digest")
            index.execute("DELETE FROM grdb_migrations WHERE identifier != '1'")
        index.close()

    return [
        Scenario("install", installed, ["install", bundle]),
        Scenario("first install", nothing, ["install", bundle]),
        Scenario("install composition", with_member, ["install", pair]),
        Scenario("remove composition", with_composition, ["remove", "pair"]),
        Scenario("remove", installed, ["remove", "old-fusion"]),
        Scenario("undo", removed, ["undo"]),
        Scenario("gc", removed, ["gc"], of_blobs=True),
        Scenario("repair, no index", without_index, ["repair"]),
        Scenario("repair, damaged", with_damaged_index, ["repair"]),
        Scenario("model add", installed, ["model", "add", model]),
        Scenario("model add --copy", installed, ["model", "add", model, "--copy"]),
        Scenario("model remove", with_model, ["model", "remove", "tiny"]),
        Scenario("migration", older, ["install", bundle]),
    ]


class Trial:
    """A scenario on registries that are copies of one."""

    numbers = iter(range(10**9))
    lock = threading.Lock()

    def __init__(self, scenario, program, shim, work):
        self.scenario, self.program, self.shim, self.work = scenario, program, shim, work
        self.template = f"{work}/template-{scenario.name.replace(' ', '-')}"
        os.makedirs(self.template)
        hub = Hub(program, self.template)
        scenario.prepare(hub)
        self.before = hub.state(scenario.of_blobs)
        hub = self.copy()
        log = hub.folder + ".log"
        status, _, errors = self.run(hub, FAULTS_LOG=log)
        require(status == 0, f"{scenario.name} fails: {errors}")
        self.after = hub.state(scenario.of_blobs)
        require(self.after[1] == 0, "something is wrong although nothing happened")
        root = hub.folder
        self.records = [tuple(field.replace(root, "{}") if isinstance(field, str) else field for field in record)
            for record in disk.records(log)]
        self.calls = [record[1:] for record in self.records if record[0] == "call"]
        os.remove(log)
        hub.clean()

    def fresh(self):
        with self.lock:
            return f"{self.work}/{next(self.numbers)}"

    def copy(self):
        folder = self.fresh()
        shutil.copytree(self.template, folder, copy_function=shutil.copy2)
        return Hub(self.program, folder)

    def run(self, hub, **plan):
        return hub(*self.scenario.command, LD_PRELOAD=self.shim, FAULTS_ROOT=hub.folder, **plan)

    def places(self, kind):
        """The numbers of the calls that may fail in a way."""
        least = {"kill": CHANGES, "short": WRITES, "full": CHANGES + 1, "ENOSPC": CHANGES + 1}.get(kind, 0)
        return [number for number, (_, what, _) in enumerate(self.calls, 1) if what >= least]

    def fail(self, kind, number):
        """Lets one call fail."""
        hub = self.copy()
        action = str(getattr(errno, kind)) if kind.isupper() else kind
        status, _, errors = self.run(hub, FAULTS_AT=str(number), FAULTS_DO=action)
        call, _, path = self.calls[number - 1]
        where = f"{self.scenario.name}: {kind} at call {number}, {call} {path}"
        try:
            if kind != "kill":
                require(status in (0, 1, 65, 66, 69, 70, 73, 74, 75, 77), f"ended with {status}: {errors}")
                require(status != 70 and "fault of hub" not in errors, f"called a fault of hub: {errors}")
                require(status == 0 or errors.startswith("hub: error: "), f"no word of it: {errors}")
                # SQLite does without that of the folder of its journal, which it may.
                is_ours = call == "fsync" and path != "{}/registry"
                require(kind != "EIO" or not is_ours or status != 0, "a failed fsync was ignored")
                self.check(hub, must_be_done=status == 0)
            else:
                self.check(hub)
        except Fault as fault:
            raise Fault(f"{where}: {fault}") from None
        hub.clean()

    def check(self, hub, must_be_done=False):
        """Looks at what is left, and does it again."""
        scenario = self.scenario
        state = hub.state(scenario.of_blobs)
        if must_be_done:
            require(state == self.after, f"it said that it is done, and it is not: {state}")
        if scenario.of_blobs:
            require(state[:2] == self.before[:2], f"something else is there: {state[:2]}")
        else:
            require(state in (self.before, self.after), f"neither what was nor what should be: {state}")
        status, _, errors = hub(*scenario.command)
        require(status == 0 or state == self.after, f"it cannot be done again: {errors}")
        state = hub.state(scenario.of_blobs)
        require(state == self.after, f"done again, it is not what it should be: {state}")
        require(hub("gc")[0] == 0 and not os.listdir(hub.folder + "/registry/scratch"), "scratch is left behind")
        require(hub("verify")[0] == 0, "something is wrong after the garbage was collected")

    def cuts(self):
        """What a power cut may leave: how far it came, how the disk forgets, and whether it had said that it was
        done."""
        changes = [index for index, record in enumerate(self.records) if record[0] != "call"]
        return [(index, how, index == changes[-1]) for index in changes
            for how in ("forgets", "zeros", "tears", "tears again")]

    def cut(self, last, how, is_done):
        hub = Hub(self.program, self.fresh())
        model = disk.Disk(self.template)
        for what, *fields in self.records[:last + 1]:
            if what != "call":
                path, other, number, data = fields
                model.apply(what, path.format(self.template), other.format(self.template), number, data)
        model.cut(hub.folder, how, f"{last} {how}")
        try:
            self.check(hub, must_be_done=is_done)
        except Fault as fault:
            raise Fault(f"{self.scenario.name}: power cut after call {last}, the disk {how}: {fault}") from None
        hub.clean()


def race(program, work, rounds):
    """Eight processes at once; some are killed, and the others succeed."""
    hub = Hub(program, f"{work}/race")
    os.makedirs(hub.folder)
    require(hub("install", str(FIXTURES / "fusion"), "--as", "old")[0] == 0, "cannot prepare")
    chance, expected = random.Random(7), {"old"}
    for number in range(rounds):
        names = [f"own{number}-{index}" for index in range(4)]
        commands = [["install", f"{work}/race-{name}"] for name in names]
        for name in names:
            hub("pack", str(FIXTURES / "classifier"), "-o", f"{work}/race-{name}", "--as", name)
        commands += [["install", f"{work}/new.adapter"], ["gc"], ["list"], ["verify"]]
        null = subprocess.DEVNULL
        processes = [
            subprocess.Popen([program, *command], env=hub.environment(), stdin=null, stdout=null,
                stderr=subprocess.PIPE) for command in commands]
        victim = chance.randrange(4)
        time.sleep(chance.random() * 0.08)
        processes[victim].send_signal(signal.SIGKILL)
        for index, process in enumerate(processes):
            errors = process.communicate(timeout=60)[1].decode()
            require(index == victim or process.returncode == 0,
                f"race: {commands[index]} ended with {process.returncode}: {errors}")
        require(hub("install", f"{work}/race-{names[victim]}")[0] == 0,
            "race: the one that was killed cannot be repeated")
        expected |= {"new", *names}
        listed = {line.split("@")[0] for line in hub("list", "-q")[1].split()}
        require(listed == expected, f"race: lists {sorted(listed ^ expected)} too much or too little")
        require(hub("verify")[0] == 0, "race: something is wrong")


def spread(places, points):
    if not points or len(places) <= points:
        return places
    return [places[index * len(places) // points] for index in range(points - 1)] + places[-1:]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hub")
    parser.add_argument("--points", type=int, default=0)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    program = os.path.abspath(options.hub)
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="dovetail-faults-", dir=place) as work:
        shim = f"{work}/faults.so"
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", shim, HERE / "faults.c", "-ldl"], check=True)
        maker = Hub(program, f"{work}/maker")
        require(maker("pack", str(FIXTURES / "classifier"), "-o", f"{work}/new.adapter", "--as", "new")[0] == 0,
            "cannot pack")
        for name in "new", "second":
            require(maker("install", str(FIXTURES / "classifier"), "--as", name)[0] == 0, "cannot install")
        require(maker("pack", "--setup", "stack(new, second)", "--as", "pair", "-o", f"{work}/pair.adapter")[0] == 0,
            "cannot pack a composition")
        shutil.copytree(MODEL, f"{work}/tiny")
        pathlib.Path(f"{work}/tiny/vocab.txt").write_text("\n".join(WORDS) + "\n")
        faults = []
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for scenario in scenarios(work):
                if options.only not in scenario.name:
                    continue
                trial = Trial(scenario, program, shim, work)
                phases = [(kind, [(trial.fail, kind, number) for number in trial.places(kind)])
                    for kind in ("kill", "EIO", "ENOSPC", "short", "full")]
                phases.append(("power", [(trial.cut, *cut) for cut in trial.cuts()]))
                for kind, tasks in phases:
                    start, chosen = time.monotonic(), spread(tasks, options.points)
                    found = [future.exception() for future in [pool.submit(*task) for task in chosen]]
                    faults += filter(None, found)
                    wrong = sum(fault is not None for fault in found)
                    print(f"{scenario.name:19} {kind:7} {len(chosen):5} of {len(tasks):5} places  {time.monotonic() - start:6.1f} s  wrong: {wrong}", flush=True)
        start = time.monotonic()
        if options.only in "race":
            try:
                race(program, work, 3 if options.points else 25)
            except Fault as fault:
                faults.append(fault)
            print(f"{'race':19} {time.monotonic() - start:6.1f} s")
    for fault in faults:
        print(f"WRONG: {fault}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
