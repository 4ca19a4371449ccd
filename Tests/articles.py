"""Check the articles of the documentation against the tree.

    python3 Tests/articles.py

A block of code below `<!-- from FILE -->` must stand in that file, line for line; and every path of ours that
README.md, the articles and the pages under .github name must be there.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "Sources/Dovetail/Dovetail.docc"
QUOTE = re.compile(r"<!-- from (\S+) -->\n```swift\n(.*?)```", re.S)
PATH = re.compile(r"[`(]((?:Sources|Tests|Examples|Formats|\.github)(?:/[\w.+-]+)+)/?[`)]")


def main():
    wrong, quotes = [], 0
    for page in [ROOT / "README.md", *sorted((ROOT / ".github").glob("*.md")), *sorted(CATALOGUE.glob("*.md"))]:
        text = page.read_text()
        for path in sorted(set(PATH.findall(text))):
            if not (ROOT / path).exists():
                wrong.append(f"{page.name}: there is no {path}")
        for source, code in QUOTE.findall(text):
            quotes += 1
            if not (ROOT / source).is_file() or code not in (ROOT / source).read_text():
                wrong.append(f"{page.name}: this does not stand in {source}:\n{code}")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"the articles quote {quotes} pieces of code as they are")


main()
