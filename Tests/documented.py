"""Say which public declarations of the library have no doc comment.

    python3 Tests/documented.py [FOLDER OR FILE...]

Looked at are the `public` and `open` declarations in Sources, programs aside. A comment stands right above the
declaration or its attributes. Exempt is what the reader finds explained elsewhere:

- what protocols of the standard library ask for (STANDARD);
- a member that a protocol of ours declares under a comment, in a type that conforms to it and in the protocol's own
  extension;
- an initializer whose every argument is a property of its type: the properties have the comments;
- an extension, which has those of what is in it.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = {"hub", "bench", "parity-runner"}
STANDARD = {"hash", "==", "<", "description", "debugDescription", "encode", "rawValue", "next", "makeIterator"}
STANDARD |= {f"init({kind}Literal:)"
    for kind in ["string", "integer", "float", "boolean", "array", "dictionary"]} | {"init(rawValue:)"}
BEFORE = r"(\s*)(?:@\w+(?:\([^)]*\))?\s+)*"
MODIFIERS = r"(?:(?:static|final|class|mutating|nonmutating|nonisolated|indirect|convenience|required|lazy|override|(?:public|private|internal|fileprivate)\(set\))\s+)*"
KINDS = r"(struct|enum|protocol|actor|class|extension|func|var|let|init|subscript|typealias|associatedtype)\b"
DECLARATION = re.compile(
    rf"^{BEFORE}(public\s+|open\s+)?(?:package\s+|internal\s+|private\s+|fileprivate\s+)?{MODIFIERS}{KINDS}[?!]?\s*(`[^`]+`|[\w.]+|[^\s(\w]+)?(.*)")
TYPES = {"struct", "enum", "protocol", "actor", "class", "extension"}


class Declaration:
    def __init__(self, match, lines, number, scope):
        self.indent, self.isPublic, self.kind, name = len(match[1]), bool(match[2]), match[3], match[4] or ""
        self.path, self.line, self.text, self.scope = None, number + 1, lines[number].strip(), scope
        self.head = match[5]
        if self.kind in {"init", "func", "subscript"} or self.kind in TYPES:
            # What is written over several lines, up to its body.
            rest = number
            while "{" not in self.head and rest + 1 < len(lines) and self.head.count("(") > self.head.count(")"):
                rest += 1
                self.head += " " + lines[rest].strip()
        if self.kind in {"init", "subscript"}:
            arguments = (lines[number] + self.head)[lines[number].find(self.kind) + len(self.kind):]
            self.labels = re.findall(r"[(,]\s*(?:@\w+\s+)?(\w+)(?:\s+\w+)?\s*:", self.head if self.head.startswith("(")
                else arguments)
            self.arguments = [last or first for first,
                last in re.findall(r"[(,]\s*(?:@\w+\s+)?(\w+)(?:\s+(\w+))?\s*:", self.head if self.head.startswith("(")
                    else arguments)]
            name = f"{self.kind}({''.join(label + ':' for label in self.labels)})"
        self.name = name
        above = number - 1
        while above >= 0 and re.match(r"\s*@\w+(\([^)]*\))?\s*$", lines[above]):
            above -= 1
        self.isCommented = above >= 0 and lines[above].lstrip().startswith("///")

    def conformances(self):
        head = self.head.split("{")[0]
        return set(re.findall(r"[\w.]+", head.split(":", 1)[1])) if ":" in head else set()


def declarations(path):
    """Those of a file, each with the type or extension around it, told by indentation: the tree is formatted."""
    lines, stack = path.read_text().splitlines(), []
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        while line.strip() and stack and indent <= stack[-1].indent and not line.lstrip().startswith(
            (")", "{", "where", "}")):
            stack.pop()
        match = DECLARATION.match(line)
        # Locals stand deeper than the members of the innermost type.
        if not match or len(match[1]) > (stack[-1].indent + 2 if stack else 0):
            continue
        declaration = Declaration(match, lines, number, stack[-1] if stack else None)
        declaration.path = path
        yield declaration
        if declaration.kind in TYPES:
            stack.append(declaration)


def main():
    paths = [path for path in sorted((ROOT / "Sources").rglob("*.swift"))
        if path.relative_to(ROOT / "Sources").parts[0] not in PROGRAMS]
    everything = [declaration for path in paths for declaration in declarations(path)]
    protocols = {declaration.name: declaration for declaration in everything if declaration.kind == "protocol"}
    explained, properties, conformances = {}, {}, {}
    for declaration in everything:
        scope = declaration.scope
        if scope and scope.kind == "protocol" and declaration.isCommented:
            explained.setdefault(scope.name, set()).add(declaration.name)
        if scope and declaration.kind in {"var", "let"}:
            # `let rows, columns: Int` are two.
            names = re.findall(r"(\w+)\s*(?=[,:=]|$)", declaration.name + declaration.head.split(":")[0])
            properties.setdefault(scope.name, set()).update([declaration.name, *names])
        if declaration.kind in TYPES:
            conformances.setdefault(declaration.name, set()).update(declaration.conformances())

    def asked(name, seen=()):
        """What the protocols of ours that a type conforms to explain."""
        found = set(explained.get(name, ()))
        for other in conformances.get(name, ()):
            if other in protocols and other not in seen:
                found |= asked(other, (*seen, name))
        return found

    def isExempt(declaration):
        scope = declaration.scope
        if declaration.kind == "extension" or declaration.name in STANDARD:
            return True
        if scope and scope.kind != "protocol" and declaration.name in asked(scope.name):
            return True
        return declaration.kind == "init" and bool(scope) and set(declaration.arguments) <= properties.get(scope.name,
            set())

    wanted = [pathlib.Path(name).resolve() for name in sys.argv[1:]] or [ROOT]
    # What a public protocol asks for is public without the word.
    shown = [each for each in everything
        if (each.isPublic or each.scope and each.scope.kind == "protocol" and each.scope.isPublic)
        and not isExempt(each)]
    bare = [each for each in shown if not each.isCommented
        and any(each.path.is_relative_to(folder) for folder in wanted)]
    for each in bare:
        print(f"{each.path.relative_to(ROOT)}:{each.line}: {each.text}")
    if bare:
        sys.exit(f"{len(bare)} of {len(shown)} public declarations have no doc comment")
    print(f"all {len(shown)} public declarations have a doc comment")


main()
