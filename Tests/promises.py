"""Checks that every test that Tests/promises.md names is there."""

import pathlib
import re
import sys

tests = pathlib.Path(__file__).resolve().parent
suites = {}
for source in tests.glob("*Tests/*.swift"):
    text = source.read_text()
    # A test is a function with the attribute in front of it; helpers prove nothing.
    parts = re.split(r"\bfunc (?=`|\w)", text)
    functions = [re.match(r"`([^`]+)`|(\w+)", part).groups("") for before, part in zip(parts, parts[1:]) if "@Test" in before]
    for suite in re.findall(r"^@Suite.*?struct (\w+)", text, re.M):
        suites.setdefault(suite, set()).update(functions)

named = re.findall(r"`(\w+)\.([^`]+)`", (tests / "promises.md").read_text())
missing = [f"{suite}.{test}" for suite, test in named if not {(test, ""), ("", test)} & suites.get(suite, set())]
if missing or not named:
    sys.exit("promises without a test: " + ", ".join(missing))
print(f"all {len(named)} tests of the promises are there")
