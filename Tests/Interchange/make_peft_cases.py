"""Writes golden cases of PEFT's methods that ../shared/parity has none of, in its format.

    python3 Tests/Interchange/make_peft_cases.py Tests/ParityTests/Cases

Needs torch, transformers and peft; the tiny base models lie beside the cases. Two runs write the same files.
"""
import json
import pathlib
import sys

import torch
from peft import LoraConfig, PrefixTuningConfig, PromptTuningConfig, TaskType, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModel

cases = pathlib.Path(sys.argv[1])
feature = TaskType.FEATURE_EXTRACTION
methods = {
    "peft_dora": ("bert", LoraConfig(r=4, lora_alpha=12, use_dora=True, target_modules=["query", "output.dense"]),
                  "DoRA as the paper has it: the norm is that of the scaled sum, and the bias stays as it is."),
    "peft_lora_bias": ("electra", LoraConfig(r=3, lora_alpha=6, lora_bias=True, target_modules=["key", "intermediate.dense"]),
                       "The second factor has a bias, which the scaling multiplies."),
    "peft_prefix": ("bert", PrefixTuningConfig(task_type=feature, num_virtual_tokens=5),
                    "A prefix moves the positions of the text."),
    "peft_prompt": ("bert", PromptTuningConfig(task_type=feature, num_virtual_tokens=4),
                    "A prompt is words before the text's, with positions."),
}
ids = [[73, 41, 17, 105, 88, 54, 12, 114, 58], [68, 119, 54, 113, 33, 27, 0, 0, 0], [21, 66, 73, 0, 0, 0, 0, 0, 0]]
mask = [[int(token != 0) for token in row] for row in ids]
ragged = {"peft_dora", "peft_lora_bias"}

for name, (base, config, notes) in methods.items():
    torch.manual_seed(7)
    folder = cases / name
    model = AutoModel.from_pretrained(cases / "bases" / base, attn_implementation="eager")
    model = get_peft_model(model, config)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if parameter.requires_grad and "magnitude" not in key:
                parameter.copy_(torch.randn_like(parameter) * 0.3)
            elif parameter.requires_grad:
                parameter.mul_(1 + 0.2 * torch.rand_like(parameter))
    model.eval()
    model.save_pretrained(str(folder / "adapters/peft"))
    (folder / "adapters/peft/README.md").unlink(missing_ok=True)
    path = folder / "adapters/peft/adapter_config.json"
    saved = json.loads(path.read_text())
    saved["base_model_name_or_path"] = f"parity/{base}"
    saved["target_modules"] = sorted(saved["target_modules"]) if saved.get("target_modules") else None
    path.write_text(json.dumps(saved, indent=2))
    rows, masks = (ids, mask) if name in ragged else ([row[:3] for row in ids], [row[:3] for row in mask])
    with torch.no_grad():
        output = model(input_ids=torch.tensor(rows), attention_mask=torch.tensor(masks))
    tensors = {"last_hidden_state": output.last_hidden_state.contiguous()}
    if getattr(output, "pooler_output", None) is not None:
        tensors["pooler_output"] = output.pooler_output.contiguous()
    save_file(tensors, folder / "expected.safetensors")
    case = {"name": name, "arch": base, "base": f"../bases/{base}", "notes": notes, "setup": None, "head": None,
            "inputs": {"input_ids": rows, "attention_mask": masks}, "tolerance": {"atol": 5e-5, "rtol": 5e-5},
            "peft": {"path": "adapters/peft", "model_class": "AutoModel"},
            "token_masks": [{"valid": masks, "tensors": ["last_hidden_state"]}] if name in ragged else []}
    (folder / "case.json").write_text(json.dumps(case, indent=1) + "\n")
    print(name, {key: tuple(value.shape) for key, value in tensors.items()})
