"""What transformers writes with a small model that is a table: searches.json.

    python3 make.py        (transformers 4.57, torch)

The logits after a text are `last[its last id] + 0.5 * before[the id before it]`; an encoder-decoder adds `source[its
first source id]`. Both tables are in the file, so that any implementation can be that model. Cases in which a near tie
decides are left out: noise of 1e-4 on all logits must not change what is written.
"""
import json
import random

import torch
from transformers import GenerationConfig, PretrainedConfig, PreTrainedModel
from transformers.generation import GenerationMixin
from transformers.modeling_outputs import CausalLMOutput

VOCABULARY = 24
random.seed(7)
torch.manual_seed(7)
table = lambda: torch.round(torch.randn(VOCABULARY, VOCABULARY) * 2.5 * 1000) / 1000
LAST, BEFORE = table(), table()
REMOVING = {"min_length", "min_new_tokens", "forced_bos_token_id", "forced_eos_token_id", "suppress_tokens",
    "begin_suppress_tokens", "bad_words_ids", "no_repeat_ngram_size"}


class Table(PreTrainedModel, GenerationMixin):
    config_class = PretrainedConfig
    main_input_name = "input_ids"
    noise = 0

    def __init__(self, config):
        super().__init__(config)
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, input_ids, attention_mask=None, **_):
        before = torch.cat([torch.full_like(input_ids[:, :1], 0), input_ids[:, :-1]], 1)
        logits = LAST[input_ids] + 0.5 * BEFORE[before]
        return CausalLMOutput(logits=logits + self.noise * torch.randn_like(logits))

    def prepare_inputs_for_generation(self, input_ids, attention_mask=None, **_):
        return {"input_ids": input_ids}


def options():
    """A random choice of options."""
    chosen = {"eos_token_id": random.sample(range(VOCABULARY), random.choice([1, 1, 2, 3])), "pad_token_id": 0}
    chosen[random.choice(["max_new_tokens", "max_length"])] = random.randint(8, 16)
    if random.random() < 0.75:
        chosen["num_beams"] = random.randint(2, 5)
        chosen["num_return_sequences"] = random.randint(1, chosen["num_beams"])
        chosen["early_stopping"] = random.choice([False, False, True, "never"])
        chosen["length_penalty"] = random.choice([1.0, 1.0, 0.0, 2.0, 0.6, -0.7])
    ids = lambda count: random.sample(range(VOCABULARY), count)
    others = {
        "repetition_penalty": lambda: random.choice([1.2, 1.6, 0.8]),
        "no_repeat_ngram_size": lambda: random.choice([1, 2, 3]),
        "bad_words_ids": lambda: [ids(1), ids(2), ids(3)],
        "sequence_bias": lambda: [[ids(1), 1.5], [ids(1), -2.0], [ids(2), 4.0]],
        "suppress_tokens": lambda: ids(3),
        "begin_suppress_tokens": lambda: ids(4),
        "forced_bos_token_id": lambda: random.randrange(VOCABULARY),
        "forced_eos_token_id": lambda: random.choice([random.randrange(VOCABULARY), ids(2)]),
        "min_length": lambda: random.randint(4, 8),
        "min_new_tokens": lambda: random.randint(2, 6),
        "exponential_decay_length_penalty": lambda: [random.randint(0, 3), 1.3],
    }
    for name in random.sample(sorted(others), random.choice([0, 1, 2, 3])):
        chosen[name] = others[name]()
    return chosen


def write(model, prompt, chosen):
    wanted = dict(chosen)
    if "sequence_bias" in wanted:
        wanted["sequence_bias"] = {tuple(ids): value for ids, value in wanted["sequence_bias"]}
    config = GenerationConfig(**wanted, output_scores=True, return_dict_in_generate=True, use_cache=False)
    result = model.generate(torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        generation_config=config)
    scores = getattr(result, "sequences_scores", None)
    return result.sequences[:, len(prompt):].tolist(), None if scores is None else scores.tolist()


def cut(tokens, ends):
    """Up to and with the first end token: what follows is padding."""
    for place, token in enumerate(tokens):
        if token in ends:
            return tokens[:place + 1]
    return tokens


model = Table(PretrainedConfig(vocab_size=VOCABULARY)).eval()
cases = []
with torch.no_grad():
    while len(cases) < 120:
        chosen = options()
        prompt = [random.randrange(1, VOCABULARY) for _ in range(random.choice([1, 2, 3, 5]))]
        Table.noise = 0
        sequences, scores = write(model, prompt, chosen)
        Table.noise = 1e-4
        if any(write(model, prompt, chosen)[0] != sequences for _ in range(2)):
            continue
        # Two forced ends are a tie; the library adds infinity to minus infinity where a decay meets an end that was
        # removed.
        if isinstance(chosen.get("forced_eos_token_id"), list) and "num_beams" in chosen:
            continue
        if "exponential_decay_length_penalty" in chosen and chosen.keys() & REMOVING:
            continue
        if scores and not all(-1e6 < score < 1e6 for score in scores):
            continue
        cases.append(
            {"prompt": prompt, "options": chosen,
                "sequences": [cut(each, chosen["eos_token_id"]) for each in sequences], "scores": scores})
with open("searches.json", "w") as file:
    rows = lambda table: [[round(value, 3) for value in row] for row in table.tolist()]
    file.write('{"last": %s,\n"before": %s,\n"cases": [\n' % (json.dumps(rows(LAST)), json.dumps(rows(BEFORE))))
    file.write(",\n".join(json.dumps(case) for case in cases) + "\n]}\n")
print(len(cases), "cases", sum("num_beams" in case["options"] for case in cases), "with beams")
