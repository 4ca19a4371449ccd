"""Draw the README's pictures, or check that they are what this script draws.

    python3 Tests/pictures.py [--check]

composition.svg shows what `stack(en, pos)` does in a model; speed.svg the medians of the tables in Speed.md, so that
the numbers stand in one place. Both are readable on light and on dark pages.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PICTURES = ROOT / "Examples/pictures"
SPEED = ROOT / "Sources/Dovetail/Dovetail.docc/Speed.md"
STYLE = """<style>
text { font: 14px system-ui, sans-serif; fill: #24292f }
.small { font-size: 12px; fill: #57606a }
.mono { font-family: ui-monospace, monospace }
.base { fill: #eaeef2; stroke: #8c959f }
.first { fill: #54aeff; stroke: #0969da }
.second { fill: #ffb77c; stroke: #bc4c00 }
.head { fill: #a7e3b1; stroke: #1a7f37 }
.dark { fill: #1f2328 }
.line { stroke: #57606a; stroke-width: 1.5; fill: none }
.peer { fill: #d0d7de }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .small { fill: #9198a1 } .dark { fill: #1f2328 }
.base { fill: #21262d; stroke: #6e7681 } .line { stroke: #9198a1 } .peer { fill: #484f58 }
}
</style>"""


def svg(width, height, title, parts):
    body = "\n".join(parts)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">\n'
            f"<title>{title}</title>\n{STYLE}\n{body}\n</svg>\n")


def box(x, y, width, height, kind, text, words=""):
    return (f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>'
            f'<text class="{words}" x="{x + width / 2}" y="{y + height / 2 + 5}" text-anchor="middle">{text}</text>')


def text(x, y, words, kind="", anchor="start"):
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{words}</text>'


def arrow(x, y, end):
    return f'<path class="line" d="M{x} {y}H{end}m-6 -4l6 4l-6 4"/>'


def composition():
    """One layer drawn large, between the embeddings and the head."""
    middle, y, height = 105, 88, 34
    parts = [text(20, 30, "stack(en, pos)", "mono"),
        text(150, 30, "the base model (grey) stays as it is; each adapter works on what the one before it gave",
            "small")]
    stations = [
        (20, 100, "base", "embeddings"), (150, 90, "base", "attention"), (262, 110, "base", "feed-forward"),
        (396, 64, "first", "en"), (484, 64, "second", "pos"), (572, 60, "base", "+ norm"), (686, 74, "head", "head"),
    ]
    for (x, width, kind, name), following in zip(stations, [*stations[1:], None]):
        parts.append(box(x, y, width, height, kind, name, "dark" if kind in {"first", "second", "head"} else ""))
        if following:
            parts.append(arrow(x + width + 3, middle, following[0] - 3))
    parts.append('<rect class="line" x="136" y="54" width="510" height="92" rx="8" stroke-dasharray="5 4"/>')
    parts.append(text(148, 74, "in each layer", "small"))
    parts.append(f'<path class="line" d="M384 {middle}V134H560V{middle}" stroke-dasharray="2 3"/>')
    parts.append(text(723, 140, "pos brings it", "small", "middle"))
    parts.append(text(20, 178, "She reads the old letters .", "mono"))
    parts.append(arrow(262, 173, 300))
    parts.append(text(314, 178, "PRON VERB DET ADJ NOUN PUNCT", "mono"))
    return svg(780, 196, "What stack(en, pos) does in each layer of a model", parts)


def speed():
    """The first table of Speed.md: how much longer a peer takes."""
    rows = re.findall(r"^\| (\w+) \| (\w+) [\d.]+ s \| ([\w-]+) \| [\d.]+ \| \*\*([\d.]+)x\*\*",
        SPEED.read_text().split("\n## ")[2], re.M)
    names = {"openvino-f32": "OpenVINO", "openvino-int8": "OpenVINO", "onnx-fp32": "ONNX Runtime",
        "onnx-int8": "ONNX Runtime", "torch-float32": "PyTorch"}
    wanted = ["classify_1x32", "classify_8x128", "classify_ragged32", "fuse8_8x128"]
    chosen = [row for name in wanted for row in rows if row[0] == name]
    parts, y, scale = [
        text(20, 26, "XLM-R base on one core of an Ice Lake: how long others take, Dovetail = 1")], 44, 150
    for workload, precision, peer, ratio in chosen:
        width = float(ratio) * scale
        parts.append(text(20, y + 14, f"{workload}, {precision}", "small mono"))
        parts.append(text(330, y + 14, names[peer], "small", "end"))
        parts.append(f'<rect class="peer" x="340" y="{y}" width="{width:.0f}" height="18" rx="3"/>')
        parts.append(text(340 + width + 8, y + 14, f"{ratio}x", "small"))
        y += 24
    parts.append(f'<path class="line" d="M{340 + scale} 38V{y}"/>')
    return svg(780, y + 14, "How long OpenVINO, ONNX Runtime and PyTorch take, as a multiple of Dovetail's time", parts)


def main():
    wrong = []
    for name, drawn in [("composition.svg", composition()), ("speed.svg", speed())]:
        path = PICTURES / name
        if "--check" not in sys.argv[1:]:
            path.write_text(drawn)
        elif not path.is_file() or path.read_text() != drawn:
            wrong.append(name)
    if wrong:
        sys.exit(f"not as drawn: {', '.join(wrong)}; run python3 Tests/pictures.py")
    print("the pictures are as drawn")


main()
