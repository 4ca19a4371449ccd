"""Train, interrupt, resume, rebuild and measure with the program, as its users do.

    python3 Tests/Training/check.py HUB MODEL [--kills N]

MODEL is the folder of the base model of the quick start. Trains the adapter `cr` in a shortened form, which must reach
a stated accuracy; rebuilds it to the same digest with another number of threads; trains a base from nothing, a language
adapter over it, a task over the language, and a fusion; kills a run at random moments until it comes to its end, which
must be the digest of the run that was left alone; and plants mistakes in recipes, each of which must be refused at its
line.
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ACCURACY = 0.75


class Hub:
    def __init__(self, program, folder):
        self.program = str(pathlib.Path(program).resolve())
        self.folder = folder
        self.environment = dict(os.environ, HUB_REGISTRY=str(folder / "registry"))

    def __call__(self, *arguments, status=0):
        done = subprocess.run([self.program, *map(str, arguments)], cwd=self.folder, env=self.environment,
                              capture_output=True, text=True)
        if done.returncode != status:
            sys.exit(
                f"hub {' '.join(map(str, arguments))}: status {done.returncode}, not {status}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def recipe(self, file, /, **keys):
        path = self.folder / f"{file}.yaml"
        path.write_text("".join(f"{key}: {value}\n" for key, value in keys.items()))
        return path

    def digest(self, name):
        return json.loads(self("info", name, "--json"))["digest"]


def shortened(hub):
    recipe = hub.recipe("cr", task="classification", name="cr", base="minilm", train=HERE / "cr-train.jsonl",
                        test=HERE / "cr-test.jsonl", epochs=2, learning_rate="2e-3", max_length=48)
    preflight = hub("train", recipe, "--dry-run")
    assert "456 to learn, 24 to choose by, 160 to measure" in preflight, preflight
    hub("train", recipe)
    measured = hub("evaluate", "--model", "minilm", "cr", HERE / "cr-test.jsonl", "--at-least", f"accuracy={ACCURACY}")
    print("cr, shortened:", measured.split("\n")[0])
    hub("evaluate", "--model", "minilm", "cr", HERE / "cr-test.jsonl", "--at-least", "accuracy=0.999", status=1)
    rebuilt = hub("rebuild", "cr", "--in", hub.folder, "--threads", 1)
    print("cr, rebuilt with one thread:",
        next(line for line in rebuilt.splitlines() if line.endswith("came out again")))


def base_from_nothing(hub, model):
    texts = hub.folder / "texts.txt"
    rows = [json.loads(line)["text"] for line in (HERE / "cr-train.jsonl").read_text().splitlines()]
    texts.write_text("\n".join(rows) + "\n")
    config = (
        "{model_type: bert, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 64, "
              "max_position_embeddings: 64, type_vocab_size: 2, hidden_act: gelu, layer_norm_eps: 1e-12}")
    recipe = hub.recipe("tiny", task="masked_lm", name="tiny", train="texts.txt", train_base="true", new_base=config,
                        tokenizer=model, output="tiny", batch_tokens=512, learning_rate="5e-3", epochs=4, max_length=48)
    report = [json.loads(line) for line in hub("train", recipe, "--json").splitlines()]
    losses = [event["figures"]["loss"] for event in report if event["event"] == "evaluation"]
    assert losses[-1] < losses[0] - 0.3, losses
    print(f"a base from nothing: loss {losses[0]:.2f} to {losses[-1]:.2f}")
    hub("model", "add", hub.folder / "tiny", "--as", "tiny")


def language_task_and_fusion(hub):
    hub("train", hub.recipe("en", task="masked_lm", name="en", base="tiny", adapter="seq_bn_inv", language="en",
                            train="texts.txt", batch_tokens=512, learning_rate="5e-3", epochs=2, max_length=48))
    common = dict(task="classification", base="tiny", train=HERE / "cr-train.jsonl", learning_rate="5e-3",
        max_length=48)
    hub("train", hub.recipe("over", name="over", over="en", epochs=2, **common))
    assert "language" in json.dumps(json.loads(hub("info", "over", "--json"))), "the dependency is written down"
    hub("train", hub.recipe("plain", name="plain", epochs=2, **common))
    hub("train", hub.recipe("fused", name="fused", fuse="[over, plain]", epochs=1, **common))
    hub("run", "--model", "tiny", "--setup", "stack(en, over)", "a very good camera")
    hub("run", "--model", "tiny", "--setup", "fuse(over, plain)", "a very good camera")
    print("a language, a task over it, and a fusion: trained, installed, run")


def kills(hub, count):
    common = dict(task="classification", base="tiny", over="en", train=HERE / "cr-train.jsonl", learning_rate="3e-3",
                  max_length=48, epochs=3 * count, checkpoint_every=2, batch_size=8)
    hub("train", hub.recipe("alone", name="killed", **common))
    wanted = hub.digest("killed")
    hub("remove", "killed")
    recipe, killed = hub.recipe("killed", name="killed", **common), 0
    random.seed(5)
    while True:
        running = subprocess.Popen([hub.program, "train", str(recipe)], cwd=hub.folder, env=hub.environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if killed < count:
            time.sleep(random.uniform(0.05, 0.9))
            if running.poll() is None:
                running.kill()
                killed += 1
                running.wait()
                continue
        output = running.communicate()[0].decode()
        if running.returncode != 0:
            sys.exit(f"after {killed} kills: status {running.returncode}\n{output}")
        break
    assert hub.digest("killed") == wanted, f"after {killed} kills another digest"
    assert not (hub.folder / "killed.yaml.checkpoint").exists()
    print(f"killed {killed} times, the same digest")


def interrupted(hub):
    recipe = hub.recipe("late", task="classification", name="late", base="tiny", train=HERE / "cr-train.jsonl",
        epochs=400,
                        max_length=48)
    running = subprocess.Popen([hub.program, "train", str(recipe)], cwd=hub.folder, env=hub.environment,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(3)
    running.send_signal(2)
    output = running.communicate()[1].decode()
    assert running.returncode == 130 and (hub.folder / "late.yaml.checkpoint").exists(), output
    hub("train", recipe, "--set", "epochs=401", status=77)
    print("Ctrl-C: status 130, and a checkpoint that another recipe does not take")


GOOD = ["task: classification", "name: planted", "base: tiny", "train: texts.jsonl"]
MISTAKES = [
    (["tsk: tagging"], 5), (["lerning_rate: 1"], 5), (["Epochs: 3"], 5), (["batch-size: 3"], 5), (["trian: x.txt"], 5),
    (["learning_rate: high"], 5), (["learning_rate: -1"], 5), (["learning_rate: 1e9"], 5), (["learning_rate: [1]"], 5),
    (["epochs: 0"], 5), (["epochs: 2.5"], 5), (["epochs: many"], 5), (["epochs:"], 5), (["steps: -3"], 5),
    (["batch_size: 0"], 5),
    (["batch_size: '8'"], 5), (["batch_size: 8", "batch_tokens: 100"], 6), (["accumulate: 0"], 5),
    (["optimizer: adam"], 5),
    (["optimizer: 3"], 5), (["momentum: 0.9"], 5), (["momentum: 1"], 5), (["schedule: linaer"], 5), (["warmup: 2"], 5),
    (["warmup: yes"], 5), (["clip: -1"], 5), (["label_smoothing: 1"], 5), (["head_dropout: 1"], 5),
    (["base_dropout: no"], 5),
    (["base_dropout: 1"], 5), (["mask_share: 0"], 5), (["seed: -1"], 5), (["seed: now"], 5), (["evaluate_every: 0"], 5),
    (["metric: acuracy"], 5), (["metric: las"], 5), (["patience: 0"], 5), (["checkpoint_every: 0"], 5),
    (["dev: no.jsonl"], 5),
    (["test: no.jsonl"], 5), (["dev_share: 0.9"], 5), (["dev_share: -0.1"], 5), (["max_length: 3"], 5),
    (["max_length: 9999999"], 5), (["format: xml"], 5), (["columns: text"], 5), (["columns: {txt: a}"], 5),
    (["columns: {text: 3}"], 5), (["adapter: seq_bnn"], 5), (["adapter: oft"], 5), (["adapter: 3"], 5), (["adapter: {method: lora, r: 0}"], 5),
    (["adapter: {method: lora, rank: 8}"], 5), (["adapter: {method: seq_bn, reduction_factor: none}"], 5),
    (["over: nobody"], 5), (["over: stack(en"], 5), (["over: ''"], 5), (["fuse: [over]"], 5), (["fuse: over"], 5),
    (["fuse: [over, nobody]"], 5), (["fuse: [over, plain]", "adapter: lora"], 5), (["version: one"], 5),
    (["train_base: true"], 5),
    (["output: x"], 5), (["tokenizer: tiny"], 5), (["new_base: {model_type: bert}"], 5),
    (["epochs: 3", "epochs: 4"], 6),
    (["adapter: ["], 6), (["- a"], 5), (["  name: b"], 5), (["\tname: b"], 5),
]


def mistakes(hub):
    (hub.folder / "texts.jsonl").write_text("this is never read\n")
    all_of_them = [(GOOD + lines, line) for lines, line in MISTAKES]
    for number, line in enumerate(["task: clasification", "name: a b", "base: tinny", "train: nothing.jsonl"], 1):
        all_of_them.append((GOOD[:number - 1] + [line] + GOOD[number:], number))
    wrong = 0
    for lines, line in all_of_them:
        path = hub.folder / "planted.yaml"
        path.write_text("\n".join(lines) + "\n")
        done = subprocess.run([hub.program, "train", str(path)], cwd=hub.folder, env=hub.environment,
            capture_output=True, text=True)
        if done.returncode != 78 or f"planted.yaml: line {line}," not in done.stderr:
            print(f"line {line} of {lines}: status {done.returncode}\n{done.stderr}", file=sys.stderr)
            wrong += 1
    if wrong:
        sys.exit(f"{wrong} of {len(all_of_them)} planted mistakes are not refused at their line")
    print(f"{len(all_of_them)} planted mistakes, each refused at its line before any data was read")


def main():
    cli = argparse.ArgumentParser()
    cli.add_argument("hub")
    cli.add_argument("model", type=pathlib.Path)
    cli.add_argument("--kills", type=int, default=5)
    arguments = cli.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        hub, model = Hub(arguments.hub, pathlib.Path(folder)), arguments.model.resolve()
        hub("model", "add", model, "--as", "minilm")
        base_from_nothing(hub, model)
        language_task_and_fusion(hub)
        mistakes(hub)
        interrupted(hub)
        kills(hub, arguments.kills)
        shortened(hub)


if __name__ == "__main__":
    main()
