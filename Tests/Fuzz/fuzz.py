#!/usr/bin/env python3
"""Feeds every parser with mutated input: libFuzzer with AddressSanitizer, from the corpus beside this file.

    Tests/Fuzz/fuzz.py [--seconds 60] [--seed 1] [--keep] [PARSER...]

Builds what is needed, into .build/fuzz, then gives each parser its time, as many at once as there are processors. An input
that a parser stumbles over stays in .build/fuzz/found, and is repeated by: .build/fuzz/release/fuzz --parser=PARSER INPUT

With --keep, the smallest inputs that reach everything that was reached become the corpus: one archive for each parser.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

TESTS = pathlib.Path(__file__).resolve().parent
ROOT = TESTS.parent.parent
BUILD = ROOT / ".build/fuzz"
PROGRAM = BUILD / "release/fuzz"
# Swift's own report of a crash reads memory as AddressSanitizer forbids, and waits for a key.
ENVIRONMENT = os.environ | {"DOVETAIL_FUZZ": "1", "SWIFT_BACKTRACE": "enable=no"}


def build():
    # The compiler heeds the last -sanitize alone, so it must name both; the package manager must know of libFuzzer's main.
    command = ["swift", "build", "-c", "release", "--product", "fuzz", "--scratch-path", BUILD, "--sanitize", "fuzzer", "-Xswiftc", "-sanitize=fuzzer,address"]
    subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, check=True)


def libfuzzer(parser, *arguments):
    """What libFuzzer says at the end; raises if it found something."""
    result = subprocess.run([PROGRAM, f"--parser={parser}", *map(str, arguments)], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = result.stdout.decode(errors="replace")
    if result.returncode:
        raise RuntimeError(f"{parser}: exit {result.returncode}\n{text[-6000:]}")
    return text


def run(parser, options):
    corpus, found = BUILD / "corpus" / parser, BUILD / "found" / parser
    for folder in (corpus, found):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    with tarfile.open(TESTS / "Corpus" / f"{parser}.tar.xz") as archive:
        for member in archive:
            (corpus / pathlib.Path(member.name).name).write_bytes(archive.extractfile(member).read())
    text = libfuzzer(parser, f"-max_total_time={options.seconds}", f"-seed={options.seed}", "-print_final_stats=1", f"-artifact_prefix={found}/", found, corpus)
    if options.keep:
        keep(parser, found, corpus)
    value = lambda name: int(re.search(rf"stat::{name}:\s+(\d+)", text)[1])
    coverage = re.findall(r"cov: (\d+)", text)[-1]
    return (f"{parser}: {value('number_of_executed_units')} inputs, {coverage} edges, {value('new_units_added')} new inputs, "
            f"the slowest took {value('slowest_unit_time_sec')} s, {value('peak_rss_mb')} MB")


def keep(parser, found, corpus):
    merged = BUILD / "merged" / parser
    shutil.rmtree(merged, ignore_errors=True)
    merged.mkdir(parents=True)
    libfuzzer(parser, "-merge=1", merged, corpus, found)
    pack(parser, merged)


def pack(parser, folder):
    """The same inputs give the same bytes. What they have in common is stored once."""
    with tarfile.open(TESTS / "Corpus" / f"{parser}.tar.xz", "w:xz", preset=9) as archive:
        for path in sorted(folder.iterdir()):
            member = tarfile.TarInfo(path.name)
            member.size = path.stat().st_size
            with open(path, "rb") as file:
                archive.addfile(member, file)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("parsers", nargs="*")
    arguments.add_argument("--seconds", type=int, default=60)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--keep", action="store_true")
    options = arguments.parse_args()
    build()
    parsers = options.parsers or subprocess.run([PROGRAM], env=ENVIRONMENT, check=True, capture_output=True, text=True).stdout.split()
    failed = False
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for future in concurrent.futures.as_completed([pool.submit(run, parser, options) for parser in parsers]):
            try:
                print(future.result(), flush=True)
            except RuntimeError as error:
                failed = True
                print(error, file=sys.stderr, flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
