#!/usr/bin/env python3
"""Feeds every parser with mutated input, from the corpus beside this file.

    Tests/Fuzz/fuzz.py [--mutations 1000] [--seed 1] [PARSER...]
    Tests/Fuzz/fuzz.py --seconds 60 [--seed 1] [--keep | --coverage] [PARSER...]

The short form takes .build/debug/mutations, which `swift build --build-tests` makes: each parser gets its corpus, and
so many mutations of it, or as many as 15 seconds allow. The long form is libFuzzer with AddressSanitizer: builds
everything for it into .build/fuzz, then gives each parser its seconds. Both run as many at once as there are
processors. An input that a parser stumbles over stays in .build/fuzz/found, and is repeated by:
.build/fuzz/release/fuzz --parser=PARSER INPUT

With --keep, the smallest inputs that reach everything that was reached become the corpus: one archive for each parser.
With --coverage, nothing is mutated: the corpus, and what the last run found besides, are read once by a program that
counts, and how much of the code that reads what strangers wrote was reached is said file by file.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tarfile

TESTS = pathlib.Path(__file__).resolve().parent
ROOT = TESTS.parent.parent
BUILD = ROOT / ".build/fuzz"
PROGRAM = BUILD / "release/fuzz"
MUTATIONS, SHORT_SECONDS, SHORT_BYTES = ROOT / ".build/debug/mutations", 15, 4 << 30
COUNTED = ROOT / ".build/coverage"
# The files that read what strangers wrote, a few of which do other things besides.
READERS = """ArchiveReader ByteStreams EntryName LibraryReader ZipLayout AdapterName Composition+Parsing JSON JSON+Parsing Manifest+JSON
Manifest+Members PinnedComposition SemanticVersion VersionRange PickleReader Safetensors TorchFile TorchPickle Bundle Bundle+Members
Probe PublicKey BundleConversion ForeignFolder AdapterHub AdapterHubConfiguration NameTable PEFT PEFTMethod AdapterReference Lock
AddedTokens BPE ByteLevel Metaspace Precompiled TemplateProcessor TokenizerConfig TokenizerFile TokenizerFile+Merges
TokenizerFile+SentencePiece Unigram Vocabulary Checkpoint EncoderConfiguration BundleCheck""".split()
# Swift's own report of a crash reads memory as AddressSanitizer forbids, and waits for a key.
ENVIRONMENT = os.environ | {"DOVETAIL_FUZZ": "1", "SWIFT_BACKTRACE": "enable=no"}


def build(place, *flags):
    # The compiler obeys only the last -sanitize, so it must name both; the package manager must know about libFuzzer's
    # main.
    command = ["swift", "build", "-c", "release", "--product", "fuzz", "--scratch-path", place, "--sanitize", "fuzzer",
        "-Xswiftc", "-sanitize=fuzzer,address"]
    subprocess.run([*command, *(part for flag in flags for part in ("-Xswiftc", flag))], cwd=ROOT, env=ENVIRONMENT,
        check=True)


def libfuzzer(parser, *arguments, program=PROGRAM, **variables):
    """What libFuzzer says at the end; raises if it found something."""
    result = subprocess.run([program, f"--parser={parser}", *map(str, arguments)], env=ENVIRONMENT | variables,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = result.stdout.decode(errors="replace")
    if result.returncode:
        raise RuntimeError(f"{parser}: exit {result.returncode}\n{text[-6000:]}")
    return text


def unpack(parser):
    corpus = emptied(BUILD / "corpus" / parser)
    with tarfile.open(TESTS / "Corpus" / f"{parser}.tar.xz") as archive:
        for member in archive:
            (corpus / pathlib.Path(member.name).name).write_bytes(archive.extractfile(member).read())
    return corpus


def emptied(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def run(parser, options):
    corpus, found = unpack(parser), emptied(BUILD / "found" / parser)
    text = libfuzzer(parser, f"-max_total_time={options.seconds}", f"-seed={options.seed}", "-print_final_stats=1",
        f"-artifact_prefix={found}/", found, corpus)
    if options.keep:
        keep(parser, found, corpus)
    value = lambda name: int(re.search(rf"stat::{name}:\s+(\d+)", text)[1])
    coverage = re.findall(r"cov: (\d+)", text)[-1]
    return (f"{parser}: {value('number_of_executed_units')} inputs, {coverage} edges, {value('new_units_added')} new inputs, "
            f"the slowest took {value('slowest_unit_time_sec')} s, {value('peak_rss_mb')} MB")


def mutate(parser, options):
    """The short form: the corpus and some mutations, in a debug build, with bounded memory."""
    last = emptied(BUILD / "found" / parser) / "last"
    bound = lambda: resource.setrlimit(resource.RLIMIT_AS, (SHORT_BYTES, SHORT_BYTES))
    command = [MUTATIONS, parser, unpack(parser), last, options.mutations, SHORT_SECONDS, options.seed]
    result = subprocess.run([str(part) for part in command], env=ENVIRONMENT, preexec_fn=bound, capture_output=True,
        text=True, errors="replace")
    if result.returncode:
        raise RuntimeError(f"{parser}: exit {result.returncode} at {last}\n{(result.stdout + result.stderr)[-6000:]}")
    return result.stdout.strip()


def keep(parser, found, corpus):
    merged = emptied(BUILD / "merged" / parser)
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


def cover(parsers):
    """How much of each file is reached, in regions: parts of a line that run or do not."""
    build(COUNTED, "-profile-generate", "-profile-coverage-mapping")
    program, counts = COUNTED / "release/fuzz", emptied(COUNTED / "counts")
    for parser in parsers:
        folders = [unpack(parser), *(BUILD / "found").glob(parser)]
        libfuzzer(parser, "-runs=0", *folders, program=program, LLVM_PROFILE_FILE=str(counts / f"{parser}.profraw"))
    tools, merged = pathlib.Path(shutil.which("swiftc")).resolve().parent, counts / "all.profdata"
    subprocess.run([tools / "llvm-profdata", "merge", "-o", merged, *counts.glob("*.profraw")], check=True)
    sources = [next((ROOT / "Sources").glob(f"*/**/{name}.swift")) for name in READERS]
    report = subprocess.run(
        [tools / "llvm-cov", "export", "-summary-only", "-instr-profile", merged, program, *sources], check=True,
        stdout=subprocess.PIPE).stdout
    data = json.loads(report)["data"][0]
    for name, summary in [*((pathlib.Path(file["filename"]).stem, file["summary"]) for file in data["files"]),
        ("all", data["totals"])]:
        reached = (
            f"{summary[kind]['covered']:4} of {summary[kind]['count']:4} {kind}, {summary[kind]['percent']:3.0f} %"
            for kind in ("regions", "lines"))
        print(f"{name:24} {'; '.join(reached)}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("parsers", nargs="*")
    arguments.add_argument("--seconds", type=int, help="for each parser, with libFuzzer")
    arguments.add_argument("--mutations", type=int, default=1000, help="for each parser, without libFuzzer")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--keep", action="store_true")
    arguments.add_argument("--coverage", action="store_true")
    options = arguments.parse_args()
    if options.coverage:
        return cover(options.parsers
            or sorted(path.name.removesuffix(".tar.xz") for path in (TESTS / "Corpus").iterdir()))
    program, work = (PROGRAM, run) if options.seconds else (MUTATIONS, mutate)
    if options.keep and not options.seconds:
        sys.exit("--keep needs --seconds: libFuzzer says which inputs to keep")
    if options.seconds:
        build(BUILD)
    parsers = options.parsers or subprocess.run([program], env=ENVIRONMENT, check=True, capture_output=True,
        text=True).stdout.split()
    failed = False
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for future in concurrent.futures.as_completed([pool.submit(work, parser, options) for parser in parsers]):
            try:
                print(future.result(), flush=True)
            except RuntimeError as error:
                failed = True
                print(error, file=sys.stderr, flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
