"""Writes golden cases of PEFT's methods that ../shared/parity has none of, in its format.

    python3 Tests/Interchange/make_peft_cases.py Tests/ParityTests/Cases

Needs torch, transformers and peft; the tiny base models lie beside the cases. Two runs write the same files.
"""
import json
import pathlib
import sys

import torch
from peft import IA3Config, LoraConfig, PrefixTuningConfig, PromptTuningConfig, TaskType, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModel

cases = pathlib.Path(sys.argv[1])
feature = TaskType.FEATURE_EXTRACTION
methods = {
    "peft_dora": ("bert", LoraConfig(r=4, lora_alpha=12, use_dora=True, target_modules=["query", "output.dense"]),
                  "DoRA as the paper has it: the norm is that of the scaled sum, and the bias stays as it is."),
    "peft_lora_bias": ("electra",
        LoraConfig(r=3, lora_alpha=6, lora_bias=True, target_modules=["key", "intermediate.dense"]),
                       "The second factor has a bias, which the scaling multiplies."),
    "peft_gpt2": ("gpt2", LoraConfig(r=4, target_modules=["c_attn", "c_proj", "c_fc"], rank_pattern={"c_fc": 2},
                                     use_rslora=True),
                  "Three linear layers that are stored as one share the first factor."),
    "peft_gpt2_ia3": ("gpt2", IA3Config(target_modules=["c_attn", "mlp.c_proj"], feedforward_modules=["mlp.c_proj"]),
                      "One vector for three linear layers that are stored as one."),
    "peft_llama": ("llama", LoraConfig(r=4, target_modules="all-linear", use_dora=True),
                   "All linear layers, keys and values narrower than the rest, and the gate."),
    "peft_t5": ("t5", LoraConfig(r=4, target_modules=["q", "k", "v", "o", "wi", "wo"]),
                "Encoder, decoder, and the decoder's attention over the encoder's states."),
    "peft_bart_ia3": ("bart", IA3Config(target_modules=["k_proj", "v_proj", "fc2"], feedforward_modules=["fc2"]),
                      "Vectors in both stacks of layers."),
    "peft_prefix": ("bert", PrefixTuningConfig(task_type=feature, num_virtual_tokens=5),
                    "A prefix moves the positions of the text."),
    "peft_prompt": ("bert", PromptTuningConfig(task_type=feature, num_virtual_tokens=4),
                    "A prompt is words before the text's, with positions."),
}
ids = [[73, 41, 17, 105, 88, 54, 12, 114, 58], [68, 119, 54, 113, 33, 27, 0, 0, 0], [21, 66, 73, 0, 0, 0, 0, 0, 0]]
mask = [[int(token != 0) for token in row] for row in ids]
ragged = {"peft_dora", "peft_lora_bias", "peft_gpt2", "peft_gpt2_ia3", "peft_llama", "peft_t5", "peft_bart_ia3"}
targets = {"decoder_input_ids": [[2, 9, 4, 4, 30], [2, 7, 8, 0, 0], [2, 11, 6, 3, 0]],
           "decoder_attention_mask": [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 1, 1, 1, 0]]}

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
        inputs = {"input_ids": rows, "attention_mask": masks} | (targets if model.config.is_encoder_decoder else {})
        output = model(**{key: torch.tensor(value) for key, value in inputs.items()})
    tensors = {"last_hidden_state": output.last_hidden_state.contiguous()}
    if getattr(output, "pooler_output", None) is not None:
        tensors["pooler_output"] = output.pooler_output.contiguous()
    save_file(tensors, folder / "expected.safetensors")
    case = {"name": name, "arch": base, "base": f"../bases/{base}", "notes": notes, "setup": None, "head": None,
            "inputs": inputs, "tolerance": {"atol": 5e-5, "rtol": 5e-5},
            "peft": {"path": "adapters/peft", "model_class": "AutoModel"},
            "token_masks": [{"valid": inputs.get("decoder_attention_mask", masks), "tensors": ["last_hidden_state"]}]
            if name in ragged else []}
    (folder / "case.json").write_text(json.dumps(case, indent=1) + "\n")
    print(name, {key: tuple(value.shape) for key, value in tensors.items()})
