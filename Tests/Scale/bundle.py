"""What it costs to pack and to install one adapter, beside what `tar --zstd` takes for the same files.

    python3 Tests/Scale/bundle.py HUB ADAPTER [--rounds N]

ADAPTER is a folder that `hub install` takes. Processor time in milliseconds, in turn, the least and the median of N
rounds; each installation is into another registry, where something is installed already. Nothing else should run
meanwhile.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import tempfile

FIXTURE = pathlib.Path(__file__).resolve().parent.parent / "HubRegistryTests" / "Fixtures" / "classifier"


def processor_time(*command, **environment):
    null = subprocess.DEVNULL
    process = subprocess.Popen(command, env={"PATH": "/usr/bin:/bin"} | environment, stdout=null, stderr=null)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return 1000 * (usage.ru_utime + usage.ru_stime)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hub")
    parser.add_argument("adapter")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    program, times = os.path.abspath(options.hub), {}
    with tempfile.TemporaryDirectory(prefix="dovetail-bundle-") as work:
        packed, unpacked, home = f"{work}/a.adapter", f"{work}/unpacked", {"HOME": work, "TMPDIR": work}
        processor_time(program, "pack", options.adapter, "-o", packed, **home)
        processor_time(program, "unpack", packed, "-o", unpacked, **home)
        for number in range(options.rounds):
            commands = {
                "hub --version": [program, "--version"], "hub install": [program, "install", packed],
                "hub pack": [program, "pack", unpacked, "-o", packed, "--force"],
                "tar --zstd": ["tar", "--zstd", "-cf", f"{work}/a.tar.zst", "-C", unpacked, "."],
            }
            registry = {"HUB_REGISTRY": f"{work}/registry-{number}"}
            processor_time(program, "install", str(FIXTURE), **registry, **home)
            for name, command in commands.items():
                times.setdefault(name, []).append(processor_time(*command, **registry, **home))
        print(f"{os.path.getsize(packed) / 1e6:.1f} MB")
    for name, spent in times.items():
        print(f"{name:14} {min(spent):6.0f} ms {statistics.median(spent):6.0f} ms")


if __name__ == "__main__":
    main()
