"""What it costs to ask a registry of many adapters.

    python3 Tests/Scale/scale.py HUB [--adapters N] [--check]

Installs one adapter, writes N rows like its own into the index, and measures processor time and peak memory of commands
that ask about a few, beside the same with that one adapter alone. With --check it fails where a command takes more than
what Tests/promises.md promises: 50 ms and 50 MB beyond what the program needs to start.
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile

FIXTURE = pathlib.Path(__file__).resolve().parent.parent / "HubRegistryTests" / "Fixtures" / "classifier"
LANGUAGES = "en de sw fi et tr zh ja ar qu".split()
COMMANDS = {
    "list --limit 50": ["list", "--limit", "50"],
    "search": ["search", "sentiment", "ja"],
    "resolve": ["resolve", "task-54321@^1.0"],
    "info": ["info", "task-54321"],
    "install": ["install", str(FIXTURE), "--as", "another"],
    "remove": ["remove", "another"],
}
MILLISECONDS, MEGABYTES = 50, 50


def fill(index, count):
    """Rows as an installation writes them, but for the files, which all adapters share."""
    columns = [row[1] for row in index.execute("PRAGMA table_info(adapters)") if row[1] != "id"]
    model = dict(zip(columns, index.execute(f"SELECT {', '.join(columns)} FROM adapters").fetchone()))
    files = index.execute("SELECT path, role, size, digest FROM files WHERE role != 'manifest'").fetchall()
    for number in range(count):
        name, language = f"task-{number}", LANGUAGES[number % len(LANGUAGES)]
        manifest = json.loads(model["manifest"]) | {"name": name, "languages": [language],
            "task": f"task {number % 997}"}
        if number % 1000 == 7:
            manifest["task"] = "sentiment"
        text = json.dumps(manifest, indent=2, sort_keys=True) + "\n"
        digest = hashlib.sha256(text.encode()).hexdigest()
        row = model | {"name": name, "digest": digest, "manifest": text, "task": manifest["task"]}
        cursor = index.execute(f"INSERT INTO adapters ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
            list(row.values()))
        index.execute("INSERT INTO languages VALUES (?, ?)", (cursor.lastrowid, language))
        base = manifest["base"]
        said = [name, row["kind"], row["method"], row["task"], base["architecture"], base.get("name", ""),
            manifest.get("description", ""), language]
        words = set(re.findall(r"[^\W_]+", " ".join(said).lower()))
        index.executemany("INSERT INTO words VALUES (?, ?)", [(word, cursor.lastrowid) for word in words])
        own = [("manifest.json", "manifest", len(text), digest), *files]
        index.executemany("INSERT INTO files (adapter, path, role, size, digest) VALUES (?, ?, ?, ?, ?)",
            [(cursor.lastrowid, *file) for file in own])


def measure(program, registry, arguments):
    """Milliseconds of processor time and megabytes of memory."""
    environment, null = {"HUB_REGISTRY": registry, "PATH": "/usr/bin:/bin"}, subprocess.DEVNULL
    process = subprocess.Popen([program, *arguments], env=environment, stdout=null, stderr=null)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 66):
        sys.exit(f"hub {' '.join(arguments)} ended with {process.returncode}")
    return 1000 * (usage.ru_utime + usage.ru_stime), usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hub")
    parser.add_argument("--adapters", type=int, default=100_000)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    program, is_good = os.path.abspath(options.hub), True
    with tempfile.TemporaryDirectory(prefix="dovetail-scale-") as work:
        environment = {"HUB_REGISTRY": f"{work}/registry", "PATH": "/usr/bin:/bin"}
        subprocess.run([program, "install", str(FIXTURE), "--as", "first"], env=environment, check=True,
            stdout=subprocess.DEVNULL)
        alone = {name: measure(program, f"{work}/registry", arguments) for name, arguments in COMMANDS.items()}
        with sqlite3.connect(f"{work}/registry/registry.sqlite") as index:
            fill(index, options.adapters)
        index.close()
        print(f"{'':16} {options.adapters} adapters{'':8} one adapter")
        for name, arguments in COMMANDS.items():
            runs = [measure(program, f"{work}/registry", arguments)
                for _ in range(1 if name in ("install", "remove") else 3)]
            time, memory = min(run[0] for run in runs), min(run[1] for run in runs)
            is_within = time - alone[name][0] <= MILLISECONDS and memory - alone[name][1] <= MEGABYTES
            is_good = is_good and is_within
            print(f"{name:16} {time:6.0f} ms {memory:6.1f} MB   {alone[name][0]:6.0f} ms {alone[name][1]:6.1f} MB{'' if is_within else '   TOO MUCH'}")
    sys.exit(0 if is_good or not options.check else 1)


if __name__ == "__main__":
    main()
