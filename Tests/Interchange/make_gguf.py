"""Makes Cases/gguf/llama/model.gguf: python3 Tests/Interchange/make_gguf.py (needs `gguf` 0.17, numpy, safetensors).

The base model Cases/bases/llama as a GGUF file, as converters write it: the rows of queries and keys with the pairs
that are rotated side by side. With it come a tokenizer of LLaMA's kind and a chat template.
"""
import json
import pathlib

import gguf
import numpy
from safetensors.numpy import load_file

HERE = pathlib.Path(__file__).parent.parent / "ParityTests"
base = HERE / "Cases/bases/llama"
config = json.loads((base / "config.json").read_text())
tensors = load_file(base / "model.safetensors")
names = {
    "embed_tokens": "token_embd", "norm": "output_norm", "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}
folder = HERE / "Cases/gguf/llama"
folder.mkdir(parents=True, exist_ok=True)
writer = gguf.GGUFWriter(folder / "model.gguf", "llama")
writer.add_block_count(config["num_hidden_layers"])
writer.add_context_length(config["max_position_embeddings"])
writer.add_embedding_length(config["hidden_size"])
writer.add_feed_forward_length(config["intermediate_size"])
writer.add_head_count(config["num_attention_heads"])
writer.add_head_count_kv(config["num_key_value_heads"])
writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
writer.add_rope_freq_base(config["rope_theta"])
writer.add_rope_dimension_count(config["head_dim"])
pieces = ["<unk>", "<s>", "</s>", *[f"<0x{byte:02X}>" for byte in range(87)], *"▁abcdefghijklmnopqrs", "▁a", "ab",
    "▁ab", "bc", "abc", "▁b", "ra", "cad", "▁d", "da"]
assert len(pieces) == config["vocab_size"], len(pieces)
writer.add_tokenizer_model("llama")
writer.add_token_list(pieces)
writer.add_token_scores([-float(index) for index in range(len(pieces))])
writer.add_token_types([2, 3, 3] + [6] * 87 + [1] * (len(pieces) - 90))
writer.add_bos_token_id(1)
writer.add_eos_token_id(2)
writer.add_chat_template("{% for message in messages %}{{ message['role'] + ' ' + message['content'] }}{% endfor %}")
for name, values in sorted(tensors.items()):
    name = name.removeprefix("model.")
    heads = config["num_attention_heads"] if "q_proj" in name else config[
        "num_key_value_heads"] if "k_proj" in name else 0
    if heads:
        values = values.reshape(heads, 2, values.shape[0] // heads // 2, *values.shape[1:]).swapaxes(1,
            2).reshape(values.shape)
    parts = name.split(".")
    inner = ".".join(parts[2:-1] if parts[0] == "layers" else parts[:-1])
    writer.add_tensor((f"blk.{parts[1]}." if parts[0] == "layers" else "") + names[inner] + ".weight",
        numpy.ascontiguousarray(values.astype(numpy.float32)))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
