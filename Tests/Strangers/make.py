"""Writes the cases that the Python libraries make: adapters of PEFT's types and options on a tiny BERT, a static head
of `adapters`, and what they answer.

    python3 Tests/Strangers/make.py

Needs torch, transformers 4.57, peft 0.21 and adapters 1.3; the bases lie in `cases/_bases`. What is random has a seed.
"""
import json
import pathlib
import shutil
import sys

import torch
import transformers

CASES = pathlib.Path(__file__).resolve().parent / "cases"
BASE = CASES / "_bases" / "micro-bert"
TEXTS = ["the lens is good", "two bad lens , one cafe", "seven"]
few, many = ["query", "value"], ["query", "key", "value", "dense"]


def spread(model, seed, width=0.2):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * width)


def model_of(base=BASE):
    torch.manual_seed(5)
    return transformers.AutoModelForSequenceClassification.from_pretrained(base, num_labels=3).eval()


def answers(model, tokenizer):
    with torch.no_grad():
        return [{
            "logits": [round(value, 6) for value in model(**tokenizer(text, return_tensors="pt")).logits[0].tolist()]}
            for text in TEXTS]


def write(name, why, kind, rows, case):
    folder = CASES / name
    (folder / "input.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    (folder / "expected.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "case.json").write_text(json.dumps({"why": why, "kind": kind, **case}, indent=1, ensure_ascii=False)
        + "\n")


def fresh(name):
    shutil.rmtree(CASES / name, ignore_errors=True)
    (CASES / name).mkdir()
    return CASES / name / "adapter"


def run(*more):
    return {"run": ["run", "--model", "m", "--setup", "a", "--json", "--input", "input.jsonl"],
        "answers": {"file": "expected.jsonl", **dict(more)}}


INSTALL = {"run": ["install", "adapter", "--as", "a"]}
USUAL = {"models": {"m": "../_bases/micro-bert"}, "steps": [INSTALL, run()]}


def saved(name, config, seed=1):
    """A random adapter in a folder, and what it answers when it is loaded again."""
    import peft

    place = fresh(name)
    model = peft.get_peft_model(model_of(), config).eval()
    spread(model, seed)
    model.save_pretrained(place)
    (place / "README.md").unlink(missing_ok=True)
    path = place / "adapter_config.json"
    stored = json.loads(path.read_text()) | {"base_model_name_or_path": "micro-bert"}
    if isinstance(stored.get("target_modules"), list):
        stored["target_modules"].sort()
    path.write_text(json.dumps(stored, indent=1))
    loaded = peft.PeftModel.from_pretrained(model_of(), place).eval()
    return place, answers(loaded, transformers.AutoTokenizer.from_pretrained(BASE))


def types():
    import peft

    task = {"task_type": "SEQ_CLS"}
    return {
        "lora-dense": (peft.LoraConfig(r=2, target_modules=many, **task),
            "LoRA on everything called dense, the pooler included."),
        "lora-all-linear": (peft.LoraConfig(r=2, target_modules="all-linear", use_rslora=True, **task),
            "LoRA on all linear layers, scaled by a root."),
        "lora-full-name": (
            peft.LoraConfig(r=2, target_modules=few, alpha_pattern={"bert.encoder.layer.0.attention.self.query": 64},
                **task), "alpha_pattern names a module by its full name."),
        "lora-patterns": (
            peft.LoraConfig(r=2, target_modules=few, rank_pattern={r"^.*layer\.0.*value": 3, "key": 5},
                alpha_pattern={r"layer\.\d+\.attention\.self\.(query|key)": 32}, **task),
                "Patterns that are expressions."),
        "lora-exclude": (
            peft.LoraConfig(r=2, target_modules=many, exclude_modules=r".*(attention\.output|pooler).*", **task),
            "Modules that are left out."),
        "lora-regex": (peft.LoraConfig(r=2, target_modules=r".*attention\.self\.(query|key)", **task),
            "Targets in one expression."),
        "adalora": (
            peft.AdaLoraConfig(init_r=3, target_r=2, total_step=100, tinit=10, tfinal=10, lora_alpha=9,
                target_modules=few, **task), "AdaLoRA."),
        "vera": (peft.VeraConfig(r=6, target_modules=few, **task), "VeRA with its projections."),
        "vera-feed-forward": (
            peft.VeraConfig(r=4, target_modules=["query", "intermediate.dense", "output.dense"], **task),
            "VeRA on layers of several shapes."),
        "loha": (peft.LoHaConfig(r=2, alpha=5, target_modules=few, rank_pattern={"query": 3}, **task), "LoHa."),
        "lokr": (peft.LoKrConfig(r=2, alpha=5, target_modules=few, **task), "LoKr with whole factors."),
        "lokr-both": (
            peft.LoKrConfig(r=1, alpha=5, decompose_both=True, decompose_factor=4, target_modules=few, **task),
            "LoKr with low-rank factors."),
        "oft": (peft.OFTConfig(r=0, oft_block_size=4, target_modules=few, **task), "OFT by a series."),
        "oft-exact": (
            peft.OFTConfig(r=2, oft_block_size=0, use_cayley_neumann=False, block_share=True, target_modules=few,
                **task), "OFT, exact, with one rotation for all blocks."),
        "oft-constrained": (peft.OFTConfig(r=2, oft_block_size=0, coft=True, eps=0.01, target_modules=few, **task),
            "OFT that stays near the base."),
        "boft": (peft.BOFTConfig(boft_block_size=4, boft_n_butterfly_factor=1, target_modules=few, **task),
            "BOFT of one factor."),
        "boft-butterfly": (peft.BOFTConfig(boft_block_size=4, boft_n_butterfly_factor=2, target_modules=few, **task),
            "BOFT of two factors."),
        "ia3": (peft.IA3Config(target_modules=few + ["output.dense"], feedforward_modules=["output.dense"], **task),
            "(IA)3."),
        "p-tuning": (peft.PromptEncoderConfig(num_virtual_tokens=3, encoder_hidden_size=8, **task),
            "P-tuning, saved without its encoder."),
        "prompt": (peft.PromptTuningConfig(num_virtual_tokens=3, **task), "Prompt tuning."),
        "prefix": (peft.PrefixTuningConfig(num_virtual_tokens=3, **task), "Prefix tuning."),
    }


def refused(name, why, pattern, change):
    """A LoRA that something makes wrong."""
    import peft

    place, rows = saved(name, peft.LoraConfig(r=2, target_modules=few, task_type="SEQ_CLS"))
    path = place / "adapter_config.json"
    path.write_text(json.dumps(change(json.loads(path.read_text())), indent=1))
    steps = [{"run": ["install", "adapter", "--as", "a"], "status": "refused", "stderr_has": [pattern]}]
    write(name, why, "wrong answers without a word", rows, {"steps": steps})


def folds():
    import peft

    for name, config in {
        "fold-lora-head": peft.LoraConfig(r=2, target_modules=few, task_type="SEQ_CLS"),
        "fold-ia3": peft.IA3Config(target_modules=few + ["output.dense"], feedforward_modules=["output.dense"],
            task_type="SEQ_CLS"),
        "fold-dora": peft.LoraConfig(r=2, lora_alpha=7, target_modules=few, use_dora=True, task_type="SEQ_CLS"),
        "fold-boft": peft.BOFTConfig(boft_block_size=4, target_modules=few, task_type="SEQ_CLS"),
    }.items():
        _, rows = saved(name, config)
        steps = [
            INSTALL, run(), {"run": ["fold", "a", "--model", "m", "--output", "folded", "--allow-base-mismatch"]},
            {"tensors": ["folded/model.safetensors", ["^classifier.weight$", "^classifier.bias$"]]},
            {"run": ["model", "add", "folded", "--as", "folded"]},
            {"run": ["run", "--model", "folded", "--head", "a", "--json", "--input", "input.jsonl",
                "--allow-base-mismatch"], "answers": {"file": "expected.jsonl"}},
        ]
        write(name,
            "An adapter folded into the base: the folded model answers as the adapter did, and the head comes along.",
            "wrong answers without a word", rows, {"models": {"m": "../_bases/micro-bert"}, "steps": steps})


def static_head():
    import adapters

    place = fresh("adapterhub-static-head")
    model = model_of()
    adapters.init(model)
    model.add_adapter("static", config="seq_bn")
    model.set_active_adapters("static")
    model.config.label2id, model.config.id2label = {"neg": 0, "neu": 1, "pos": 2}, {0: "neg", 1: "neu", 2: "pos"}
    model.train_adapter("static")
    spread(model, 3)
    model.eval()
    model.save_adapter(str(place), "static", with_head=True)
    rows = answers(model, transformers.AutoTokenizer.from_pretrained(BASE))
    labels = ["neg", "neu", "pos"]
    rows = [row | {"labels": labels, "label": labels[max(range(3), key=row["logits"].__getitem__)]} for row in rows]
    write("adapterhub-static-head",
        "adapters.init(BertForSequenceClassification) saves the model's own head, without config and name.",
        "refused although right", rows, USUAL)


def main():
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    for name, (config, why) in types().items():
        _, rows = saved(f"peft-type-{name}", config)
        write(f"peft-type-{name}", why, "refused although right", rows, USUAL)
    for value in "pissa", "olora", "corda", "loftq", "lora_ga", "pissa_niter_4":
        refused(f"peft-base-changed-{value}",
            f"init_lora_weights is {value}: PEFT changes the base when it loads the adapter.", "init_lora_weights",
            lambda json, value=value: json | {"init_lora_weights": value})
    for name, change, pattern in (
        ("rank", {"r": 4}, r"\br\b"), ("rank-zero", {"r": 0}, r"\br\b"),
        ("rank-pattern", {"rank_pattern": {"query": 1}}, "rank_pattern"),
        ("no-targets", {"target_modules": []}, "target_modules"),
        ("other-target", {"target_modules": ["query", "value", "key"]}, "target_modules"),
        ("fewer-targets", {"target_modules": ["query"]}, "target_modules"),
        ("other-layers", {"layers_to_transform": [7]}, "layer"),
        ("unknown-option", {"use_magic": True}, "use_magic"),
    ):
        refused(f"peft-contradicts-{name}", "The configuration and the tensors say different things.", pattern,
            lambda json, change=change: json | change)
    folds()
    static_head()


if __name__ == "__main__":
    main()
