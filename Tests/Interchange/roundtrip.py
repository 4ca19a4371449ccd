"""Adapters go through hub and back into the Python libraries: the answers must stay the same.

    python3 Tests/Interchange/roundtrip.py HUB CASES

CASES is a folder of golden cases. Each adapter of a case that is not an error is written again by
`hub convert --to adapterhub` (or `--to peft` for a PEFT folder); the library loads both folders into the same base
model, and the hidden states must agree. Needs torch, adapters and peft; says that it skips where they are not
installed.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

hub, cases = sys.argv[1], pathlib.Path(sys.argv[2])
try:
    import adapters
    import peft
    import torch
    from transformers import AutoModel
except ImportError as missing:
    print(f"SKIPPED: {missing.name} is not installed")
    sys.exit(0)

import logging
import os
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
os.environ.setdefault("HF_HUB_OFFLINE", "1")
tolerance = 2e-5


def hidden(model, inputs):
    model.eval()
    with torch.no_grad():
        return model(input_ids=inputs, output_hidden_states=True).hidden_states


def adapterhub(base, folder, inputs):
    model = adapters.AutoAdapterModel.from_pretrained(base)
    safe = (folder / "adapter.safetensors").exists()
    name = model.load_adapter(str(folder), use_safetensors=safe, with_head=False)
    model.set_active_adapters(name)
    return hidden(model.base_model, inputs)


def with_peft(base, folder, inputs):
    config = json.loads((folder / "adapter_config.json").read_text())
    base_class = (config.get("auto_mapping") or {}).get("base_model_class", "AutoModel")
    import transformers
    model = getattr(transformers, base_class).from_pretrained(base, attn_implementation="eager")
    return hidden(peft.PeftModel.from_pretrained(model, str(folder)), inputs)


def convert(folder, target, format):
    done = subprocess.run([hub, "convert", str(folder), "--to", format, "-o", str(target)], capture_output=True,
        text=True)
    return done.stderr.strip().splitlines()[0] if done.returncode else None


torch.manual_seed(1)
passed, refused, failed = 0, [], []
scratch = pathlib.Path(tempfile.mkdtemp())
for case in sorted(cases.iterdir()):
    if not (case / "case.json").exists():
        continue
    description = json.loads((case / "case.json").read_text())
    model_type = description["arch"]
    if description.get("error") or description["base"].startswith("pip:") or model_type not in (
            "bert", "roberta", "xlm-roberta", "distilbert", "electra"):
        continue
    base = str((case / description["base"]).resolve())
    vocabulary = json.loads((pathlib.Path(base) / "config.json").read_text())["vocab_size"]
    inputs = torch.randint(5, vocabulary - 1, (2, 7))
    folders = sorted((case / "adapters").glob("*")) if (case / "adapters").exists() else []
    for folder in folders:
        is_peft = description.get("peft") is not None
        label, target = f"{case.name}/{folder.name}", scratch / f"{case.name}-{folder.name}"
        if why := convert(folder, target, "peft" if is_peft else "adapterhub"):
            refused.append(f"{label}: {why}")
            continue
        run = with_peft if is_peft else adapterhub
        try:
            pairs = zip(run(base, folder, inputs), run(base, target, inputs))
            difference = max((a - b).abs().max().item() for a, b in pairs)
        except Exception as error:
            failed.append(f"{label}: {type(error).__name__}: {error}"[:300])
            continue
        if difference <= tolerance:
            passed += 1
        else:
            failed.append(f"{label}: differs by {difference:.2e}")
shutil.rmtree(scratch)
for line in refused:
    print("refused ", line)
for line in failed:
    print("FAILED  ", line)
print(f"{passed} adapters came back the same, {len(refused)} cannot be said, {len(failed)} failed")
sys.exit(1 if failed or not passed else 0)
