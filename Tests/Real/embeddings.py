"""Ask `hub embed` for the vectors that sentence-transformers gave, and compare them.

    python3 Tests/Real/embeddings.py HUB MODEL [--record]

MODEL is the folder of all-MiniLM-L6-v2, whose modules.json asks for the mean, cut at 256 tokens and of length 1. With
--record the vectors are made anew, by sentence-transformers on PyTorch. Every number must be within 1e-5.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

FILE = pathlib.Path(__file__).parent / "embeddings.json"
TEXTS = ["A very good camera.", "The lens is sharp, and it focuses fast.", "x", "Un très bon appareil photo 📷",
         "  spaces   stay  spaces ", " ".join(["The battery does not last a day, whatever the manual says."] * 60)]


def record(model):
    from sentence_transformers import SentenceTransformer
    vectors = SentenceTransformer(model, device="cpu").encode(TEXTS)
    rows = [{"text": text, "embedding": [float(f"{x:.6g}") for x in vector]} for text, vector in zip(TEXTS, vectors)]
    FILE.write_text("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n")


def main():
    hub, model = sys.argv[1:3]
    if sys.argv[3:] == ["--record"]:
        return record(model)
    cases = json.loads(FILE.read_text())
    with tempfile.TemporaryDirectory() as folder:
        def run(*arguments, stdin=None):
            done = subprocess.run(
                [hub, *arguments, "--registry", f"{folder}/registry"], input=stdin, capture_output=True)
            if done.returncode:
                sys.exit(f"hub {' '.join(arguments)}: status {done.returncode}\n{done.stderr.decode()}")
            return done.stdout
        run("model", "add", model, "--as", "minilm")
        lines = "".join(json.dumps({"id": number, "text": case["text"]}) + "\n" for number, case in enumerate(cases))
        answers = [json.loads(line) for line in run("embed", "--model", "minilm", stdin=lines.encode()).splitlines()]
        matrix = run("embed", "--model", "minilm", "--output", "npy", stdin=lines.encode())
    assert [answer["id"] for answer in answers] == list(range(len(cases)))
    worst = max(abs(a - b) for answer, case in zip(answers, cases)
                for a, b in zip(answer["embedding"], case["embedding"], strict=True))
    if worst > 1e-5:
        sys.exit(f"the vectors differ by {worst}")
    check_matrix(matrix, answers)
    print(f"{len(cases)} embeddings are those of sentence-transformers, within {worst:.1e}")


def check_matrix(matrix, answers):
    import struct
    length = struct.unpack("<H", matrix[8:10])[0]
    assert matrix[:8] == b"\x93NUMPY\x01\x00" and (10 + length) % 64 == 0, matrix[:10]
    width = len(answers[0]["embedding"])
    assert f"'shape': ({len(answers)}, {width})" in matrix[10:10 + length].decode()
    numbers = struct.unpack(f"<{len(answers) * width}f", matrix[10 + length:])
    flat = [x for answer in answers for x in answer["embedding"]]
    assert all(abs(a - b) < 1e-7 for a, b in zip(numbers, flat, strict=True))


if __name__ == "__main__":
    main()
