"""Run the commands of the README and of the long tour, each in a terminal of its own, and compare what they print.

    python3 tour.py HUB MODEL            RECORD=1 writes what they print into the pages

HUB is the hub binary, MODEL the folder of the base model. Each page begins with an empty registry that knows the model
as minilm. Dates are left out of the comparison.
"""
import difflib, fcntl, os, pathlib, pty, re, struct, sys, tempfile, termios

root = pathlib.Path(__file__).resolve().parent.parent
pages = [root / "README.md", root / "Sources/Dovetail/Dovetail.docc/Tour.md"]


def in_terminal(command, folder, columns=110):
    """What a person sees: standard output and standard error of a command, in a terminal."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execvp("bash", ["bash", "-c", "read -r _; " + command])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    attributes = termios.tcgetattr(terminal)
    attributes[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, attributes)
    os.write(terminal, b"\n")
    printed = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        printed += part
    os.waitpid(child, 0)
    return printed.decode().replace("\r\n", "\n").lstrip("\n")


def blocks(text):
    """(start, end) of the content of each console block."""
    return [m.span(1) for m in re.finditer(r"```console\n(.*?)```", text, re.S)]


def dateless(text):
    return re.sub(r"\d{4}-\d\d-\d\d( \d\d:\d\d)?", "DATE", text)


def play(page, hub, model):
    """The page with what its commands print now."""
    text = page.read_text()
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(root / "Examples", pathlib.Path(folder) / "Examples")
        os.environ.update(HUB_REGISTRY=f"{folder}/registry", PATH=f"{hub.parent}:{os.environ['PATH']}", TERM="dumb",
            LC_ALL="C.UTF-8")
        os.environ.pop("NO_COLOR", None)
        in_terminal(f"hub model add {model} --as minilm", folder)
        parts, at = [], 0
        for start, end in blocks(text):
            commands = [line for line in text[start:end].splitlines() if line.startswith("$ ")]
            parts += [text[at:start], "".join(f"{line}\n{in_terminal(line[2:], folder)}" for line in commands)]
            at = end
    return "".join(parts) + text[at:]


def main():
    hub, model = (pathlib.Path(p).resolve() for p in sys.argv[1:3])
    for page in pages:
        text, played = page.read_text(), play(page, hub, model)
        if os.environ.get("RECORD"):
            page.write_text(played)
        elif dateless(played) != dateless(text):
            sys.stdout.writelines(
                difflib.unified_diff(dateless(text).splitlines(True), dateless(played).splitlines(True), page.name,
                    "played"))
            sys.exit(f"the commands do not print what {page.name} says")
        print(f"{page.name}: {text.count(chr(10) + '$ ')} commands print what it says")


main()
