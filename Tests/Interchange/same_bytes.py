"""Writes the same adapters in surroundings that differ in all that may not matter: the files must be the same, byte for
byte.

    python3 Tests/Interchange/same_bytes.py HUB [HUB...]

Differ do: the folder and its name, the order in which its files were made, their times and modes; the umask, the home,
the language, the time zone; threads and the instruction set; and the program itself, where a debug build, say, is named
besides.
"""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parent.parent
ADAPTERS = [TESTS / "HubRegistryTests/Fixtures/classifier", TESTS / "HubRegistryTests/Fixtures/fusion",
    TESTS / "ParityTests/Cases/peft_dora/adapters/peft"]


def surroundings(program):
    """A name, variables, and an umask for each."""
    yield "usual", {}, 0o022
    yield "alone", {}, 0o077
    yield "open to all", {}, 0o000
    for language in "C", "C.UTF-8", "tr_TR.UTF-8", "ar_EG.UTF-8":
        yield language, {"LC_ALL": language, "LANG": language, "LANGUAGE": language[:2]}, 0o022
    for zone in "Pacific/Kiritimati", "Pacific/Niue":
        yield zone, {"TZ": zone}, 0o022
    for count in "1", "7":
        yield f"threads: {count}", {"HUB_THREADS": count}, 0o022
    sets = json.loads(
        subprocess.run([program, "doctor", "--json"], env={"HUB_REGISTRY": "/none"}, check=True,
            capture_output=True).stdout)["instructionSets"]
    for name in sets:
        yield name, {"HUB_ISA": name}, 0o022


def copy(source, target, number):
    """The same files, made in another order, with other times and modes."""
    target.mkdir(parents=True)
    for path in sorted(source.iterdir(), reverse=number % 2 == 1):
        (target / path.name).write_bytes(path.read_bytes())
        os.chmod(target / path.name, (0o644, 0o600, 0o755)[number % 3])
        os.utime(target / path.name, (number * 86_400_000, number * 100_000_000))


def written(program, work, number, variables, umask):
    """The digest of each file that the program makes of the adapters."""
    home = work / f"{number}" / ("a home" if number % 2 else "größer")
    environment = {"HOME": str(home), "HUB_REGISTRY": str(home / "registry"), "TMPDIR": str(work)} | variables
    (home / "out").mkdir(parents=True)
    hub = lambda *arguments: subprocess.run([program, *map(str, arguments)], env=environment, cwd=home, umask=umask,
        check=True, capture_output=True)
    for source in ADAPTERS:
        copy(source, home / source.name, number)
        for compression in "none", "gzip", "zstd":
            hub("pack", home / source.name, "-o", home / f"out/{source.name}-{compression}", "--as", source.name,
                "--compression", compression)
        hub("install", home / source.name, "--as", source.name)
    hub("merge", "classifier", "classifier", "--weights", "3,0.1", "--as", "merged", "-o", home / "out/merged")
    hub("convert", "peft", "--to", "peft", "-o", home / "out/peft")
    hub("lock", "-o", home / "out/lock")
    return {str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((home / "out").rglob("*")) if path.is_file()}


def main():
    expected, count, wrong = None, 0, []
    with tempfile.TemporaryDirectory(prefix="dovetail-same-") as work:
        for program in map(os.path.abspath, sys.argv[1:]):
            for name, variables, umask in surroundings(program):
                count += 1
                found = written(program, pathlib.Path(work), count, variables, umask)
                expected = expected or found
                wrong += [f"{program}, {name}: {path}" for path in expected.keys() | found.keys()
                    if expected.get(path) != found.get(path)]
    print(f"surroundings: {count}, with {len(expected)} files each; wrong: {len(wrong)}")
    for fault in wrong:
        print(f"WRONG: {fault}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
