"""Says which public declarations of the library have no doc comment.

    python3 Tests/documented.py [FILE...]

Looked at is every `public` or `open` declaration in Sources, programs aside. A comment stands right above the declaration,
or above its attributes. Exempt, because the reader finds the words elsewhere:

- what a protocol of the standard library asks for and explains (`hash(into:)`, `==`, `<`, `description`, codable's pair),
- a member that a public protocol of ours declares with a comment, in a type or an extension that names a protocol,
- an `override`, and `public import`,
- an extension that only adds a conformance or gathers members.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = {"hub", "bench", "parity-runner"}
STANDARD = {"hash", "==", "<", "description", "debugDescription", "errorDescription", "encode", "id", "rawValue", "next", "makeIterator"}
MODIFIERS = r"(?:(?:static|final|class|mutating|nonmutating|nonisolated|indirect|convenience|required|lazy|consuming|borrowing|isolated|distributed|nonisolated\(unsafe\)|(?:private|internal|fileprivate)\(set\))\s+)*"
DECLARATION = re.compile(rf"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:public|open)\s+{MODIFIERS}(class|struct|enum|protocol|actor|func|var|let|init|subscript|typealias|case|extension|associatedtype|operator|macro)\b[?!]?\s*(`?[\w.]+`?|[^\s(\w]+)?")
ATTRIBUTE = re.compile(r"^\s*@\w+")
TYPE = re.compile(rf"^(\s*)(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|open|package|internal|private|fileprivate)\s+)?{MODIFIERS}(class|struct|enum|protocol|actor|extension)\s+([\w.]+)([^{{]*)")
MEMBER = re.compile(rf"^\s*(?:@\w+(?:\([^)]*\))?\s+)*{MODIFIERS}(?:func|var|init|subscript)\b\s*(`?\w+`?|[^\s(\w]+)?")


def sources():
    return sorted(path for path in (ROOT / "Sources").rglob("*.swift") if path.relative_to(ROOT / "Sources").parts[0] not in PROGRAMS)


def commented(lines, number):
    """Whether a doc comment stands above a line, its attributes skipped."""
    number -= 1
    while number >= 0 and (ATTRIBUTE.match(lines[number]) and not DECLARATION.match(lines[number])):
        number -= 1
    return number >= 0 and bool(re.match(r"\s*(///|\*/)", lines[number]))


def scopes(lines):
    """For each line the innermost type or extension around it, as (kind, head), by indentation: the tree is formatted."""
    stack = []
    for line in lines:
        indent = len(line) - len(line.lstrip())
        while line.strip() and stack and indent <= stack[-1][0] and not line.lstrip().startswith((")", "where", "{")):
            stack.pop()
        yield stack[-1][1:] if stack else None
        if match := TYPE.match(line):
            stack.append((indent, match[2], match[3], match[4]))


def requirements(paths):
    """Names of members that a public protocol of ours declares under a comment."""
    names = set()
    for path in paths:
        lines = path.read_text().splitlines()
        for number, (line, scope) in enumerate(zip(lines, scopes(lines))):
            if scope and scope[0] == "protocol" and (match := MEMBER.match(line)) and commented(lines, number):
                names.add(match[1] or "init")
    return names


def missing(path, required):
    lines = path.read_text().splitlines()
    for number, (line, scope) in enumerate(zip(lines, scopes(lines))):
        match = DECLARATION.match(line)
        if not match or match[1] == "extension" or re.search(r"\boverride\b", line):
            continue
        kind, name = match[1], match[2] or match[1]
        if kind == "init":
            name = "init"
        conforms = scope and scope[0] != "protocol" and ":" in scope[2]
        if kind in {"func", "var", "let", "init", "subscript"} and (name in STANDARD and (name != "id" or conforms) or conforms and name in required):
            continue
        yield number + 1, commented(lines, number), line.strip()


def main():
    paths = sources()
    required = requirements(paths)
    wanted = {pathlib.Path(name).resolve() for name in sys.argv[1:]}
    total, bare = 0, []
    for path in paths:
        for number, has, line in missing(path, required):
            total += 1
            if not has and (not wanted or path in wanted):
                bare.append(f"{path.relative_to(ROOT)}:{number}: {line}")
    print("\n".join(bare))
    print(len(bare), total)


main()
