"""Run the commands of the README's tour, each in a terminal of its own, and compare what they print.

    python3 tour.py HUB MODEL            RECORD=1 writes what they print into README.md

HUB is the hub binary, MODEL the folder of the base model. Dates are left out of the comparison.
"""
import difflib, fcntl, os, pathlib, pty, re, struct, sys, tempfile, termios

root = pathlib.Path(__file__).resolve().parent.parent
readme = root / "README.md"


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


def main():
    hub, model = (pathlib.Path(p).resolve() for p in sys.argv[1:3])
    text = readme.read_text()
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(root / "Examples", pathlib.Path(folder) / "Examples")
        os.environ.update(HUB_REGISTRY=f"{folder}/registry", PATH=f"{hub.parent}:{os.environ['PATH']}", TERM="dumb", LC_ALL="C.UTF-8")
        os.environ.pop("NO_COLOR", None)
        in_terminal(f"hub model add {model} --as minilm", folder)
        parts, at = [], 0
        for start, end in blocks(text):
            commands = [line for line in text[start:end].splitlines() if line.startswith("$ ")]
            parts += [text[at:start], "".join(f"{line}\n{in_terminal(line[2:], folder)}" for line in commands)]
            at = end
    played = "".join(parts) + text[at:]
    if os.environ.get("RECORD"):
        readme.write_text(played)
    elif dateless(played) != dateless(text):
        sys.stdout.writelines(difflib.unified_diff(dateless(text).splitlines(True), dateless(played).splitlines(True), "README.md", "played"))
        sys.exit("the README's tour does not print what the README says")
    print(f"the tour: {text.count(chr(10) + '$ ')} commands print what the README says")


main()
