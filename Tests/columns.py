"""Say which lines of ours are longer than 120 columns.

    python3 Tests/columns.py

Looked at are the comments of Swift files, whose code `swift format` wraps, Python files, and the prose of Markdown
files. A string, a table, a block of code and a link cannot always be broken, and may be longer.
"""
import io
import pathlib
import re
import sys
import tokenize

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ["Sources", "Tests", "Examples", "Formats", ".github"]
LIMIT = 120


def swift(text):
    return [number for number, line in enumerate(text.splitlines(), 1)
        if len(line) > LIMIT and line.lstrip().startswith("//")]


def python(text):
    lines, unbreakable, before, begun = text.splitlines(), set(), tokenize.ENCODING, None
    strings = {tokenize.STRING, getattr(tokenize, "FSTRING_END", tokenize.STRING)}
    # A string that is a statement by itself is documentation, and can be broken.
    statement = {tokenize.ENCODING, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == getattr(tokenize, "FSTRING_START", None):
            begun = begun or token.start
        elif token.type in strings and before not in statement:
            (first, start), (last, end) = begun or token.start, token.end
            begun = None
            unbreakable.update(range(first, last + 1) if last > first else [first] if start <= LIMIT <= end + 2 else [])
        before = before if token.type in {tokenize.NL, tokenize.COMMENT} else token.type
    return [number for number, line in enumerate(lines, 1) if len(line) > LIMIT and number not in unbreakable]


def markdown(text):
    wrong, is_code = [], False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            is_code = not is_code
        if len(line) > LIMIT and not is_code and not re.match(r"\||#|\s*(- )?\S+$", line):
            wrong.append(number)
    return wrong


def main():
    judges, wrong, count = {".swift": swift, ".py": python, ".md": markdown}, [], 0
    for path in [ROOT / "README.md", *(path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*")))]:
        if path.suffix in judges and path.is_file():
            count += 1
            name = path.relative_to(ROOT)
            found = judges[path.suffix](path.read_text())
            wrong += [f"{name}:{number}: longer than {LIMIT} columns" for number in found]
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"no line of {count} files is longer than {LIMIT} columns, strings and tables aside")


main()
