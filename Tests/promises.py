"""Checks that Tests/promises.md has a row for every promise of the format and the registry, and that every test it
names is there.

    python3 Tests/promises.py [--log FILE]

With what `swift test` printed, also that each of them passed.
"""

import argparse
import pathlib
import re
import sys

PROMISES = {*range(1, 47), 56, 57, 58}
TESTS = pathlib.Path(__file__).resolve().parent
PAGE = (TESTS / "promises.md").read_text()


def known():
    """Suite, function, and the name under which a log speaks of it."""
    for source in TESTS.glob("*Tests/*.swift"):
        text = source.read_text()
        suites = re.findall(r"^@Suite.*?struct (\w+)", text, re.M)
        # A test is a function with the attribute in front of it; helpers prove nothing.
        parts = re.split(r"\bfunc (?=`|\w)", text)
        for before, part in zip(parts, parts[1:]):
            attribute = before.rpartition("@Test")
            if not attribute[1]:
                continue
            quoted, plain = re.match(r"`([^`]+)`|(\w+)", part).groups("")
            title = re.match(r'\(\s*"([^"]+)"', attribute[2])
            for suite in suites:
                yield suite, quoted or plain, title[1] if title else quoted or plain


def promised():
    """The numbers that begin a row: `P4, P5` and `P19 to P21`."""
    for cell in re.findall(r"^\| (P\d[^|]*) \|", PAGE, re.M):
        for first, last in re.findall(r"P(\d+)(?: to P(\d+))?", cell):
            yield from range(int(first), int(last or first) + 1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", type=pathlib.Path)
    options = parser.parse_args()
    titles = {(suite, function): title for suite, function, title in known()}
    named = re.findall(r"`(\w+Tests)\.([^`]+)`", PAGE)
    faults = [f"P{number} has no row" for number in sorted(PROMISES - set(promised()))]
    faults += [f"there is no test {suite}.{test}" for suite, test in named if (suite, test) not in titles]
    faults += [f"there is no {path}" for path in re.findall(r"`(Tests/[\w/]+\.\w+)`", PAGE)
        if not (TESTS.parent / path).is_file()]
    if options.log:
        lines = re.findall(r"^. Test (?:\"(.+?)\"|(\w+)\(.*?\)) (?:with \d+ test cases )?(passed|failed) after",
            options.log.read_text(), re.M)
        passed, failed = ({first or second for first, second, outcome in lines if outcome == wanted}
            for wanted in ("passed", "failed"))
        faults += [f"{suite}.{test} did not pass" for suite, test in named if titles.get((suite, test)) in failed
            or titles.get((suite, test)) not in passed]
    if faults:
        sys.exit("\n".join(faults))
    print(f"all {len(named)} tests of the promises are there" + (" and passed" if options.log else ""))


if __name__ == "__main__":
    main()
