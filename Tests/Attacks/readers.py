"""Holds what `hub install` makes of archives against what Python's own readers see in them: there is one reading only.

    python3 Tests/Attacks/readers.py HUB [--mutants N]

The odd archives of make.py, and what chance makes of the usual ones. Where `hub` finds the usual adapter, Python must
find its files and every byte of them; where `hub` finds another one, Python must, too.
"""

import argparse
import io
import os
import pathlib
import posixpath
import random
import shutil
import tarfile
import tempfile
import zipfile

import attack
import make


def seen_by_python(data):
    """The files of the adapter in an archive, by their last names, each with all contents of that name; None if there
    is no archive."""
    try:
        if zipfile.is_zipfile(io.BytesIO(data)):
            archive = zipfile.ZipFile(io.BytesIO(data))
            files = [(entry.filename, archive.read(entry)) for entry in archive.infolist() if not entry.is_dir()]
        else:
            archive = tarfile.open(fileobj=io.BytesIO(data))
            files = [(entry.name, archive.extractfile(entry).read()) for entry in archive if entry.isfile()]
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError):
        return None
    return {name: [content for path, content in files if posixpath.basename(path) == name] for name in make.GOOD}


def mutants(count):
    """What a few changed, lost, repeated or added bytes make of usual archives."""
    chance = random.Random(20)
    usual = [make.zipped(make.GOOD.items()), make.zipped(make.GOOD.items(), zipfile.ZIP_STORED),
        make.tarred(make.GOOD.items())]
    for number in range(count):
        data = bytearray(usual[number % len(usual)])
        for _ in range(chance.randint(1, 3)):
            at, length = chance.randrange(len(data)), chance.randint(1, 40)
            change = chance.randrange(8)
            if change < 5:
                data[at] ^= 1 << chance.randrange(8)
            elif change == 5:
                del data[at:at + length]
            elif change == 6:
                data[at:at] = data[at:at + length]
            else:
                data[at:at] = chance.randbytes(length)
        yield f"mutant {number}", bytes(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hub")
    parser.add_argument("--mutants", type=int, default=600)
    options = parser.parse_args()
    program, expected = os.path.abspath(options.hub), {name: [content] for name, content in make.GOOD.items()}
    usual, wrong, counts = None, [], {"taken": 0, "not read by Python": 0}
    with tempfile.TemporaryDirectory(prefix="dovetail-readers-") as work:
        for folder in "in", "home", "tmp", "traps":
            os.mkdir(f"{work}/{folder}")
        file = pathlib.Path(f"{work}/in/file")
        good = list(make.GOOD.items())
        archives = [("usual", make.zipped(good)), *make.odd_zips(good), *make.odd_tars(good)]
        for name, data in archives + list(mutants(options.mutants)):
            file.write_bytes(data)
            status, output, *_ = attack.install(program, work, str(file))
            shutil.rmtree(f"{work}/registry", ignore_errors=True)
            if status:
                continue
            digest = output.split("\t")[4]
            usual, counts["taken"] = usual or digest, counts["taken"] + 1
            seen = seen_by_python(data)
            counts["not read by Python"] += seen is None
            if seen is not None and (seen == expected) != (digest == usual):
                wrong.append(
                    f"{name}: hub finds {'the usual' if digest == usual else 'another'} adapter, and Python does not")
    print(f"archives: {len(archives)} odd, {options.mutants} mutants; "
        + ", ".join(f"{key}: {count}" for key, count in counts.items()) + f"; wrong: {len(wrong)}")
    for fault in wrong:
        print(f"WRONG: {fault}")
    raise SystemExit(1 if wrong or counts["taken"] < 40 else 0)


if __name__ == "__main__":
    main()
