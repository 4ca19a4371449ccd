"""Makes the fixtures under `decoders`: python decoders.py SHARED, where SHARED is the folder of shared tokenizer data.

Small tokenizers of the kinds that decoders come with, trained on the texts, and what Hugging Face's `tokenizers`
(0.22.2) makes of these. With a second folder, all texts of the shared goldens are recorded there, to compare more.
"""
import json
import pathlib
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace("{1,3}", "")
CASED = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
MORE = [
    "I'M can'T we'LL it'ſ they'Ve", "1234567 ٣٤٥ ½ Ⅷ x²", "a\r\n\r\nb  \n c   d", "tabs\t\tand  spaces   ", "   lead",
    "HelloWorld iPhone McDonald's",
    "e\u0301 \u1112\u1161\u11ab \ufb01 \u00c5\u212b \u2460", "ー ｱｲｳ ㍿", "https://example.org/a/b?c=d",
    "<s>x</s> <|end|>y", "😀👩‍👩‍👧 🇩🇪", "\u0344\u0f73 q\u0323\u0307 q\u0307\u0323",
]


def by_bytes(split, normalizer=None, vocabulary=900):
    tokenizer = Tokenizer(models.BPE())
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [*split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=len(split) == 1
            and isinstance(split[0], pre_tokenizers.Digits))])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer, trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=["<s>", "</s>", "<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)


def kinds():
    isolated = lambda pattern: pre_tokenizers.Split(Regex(pattern), "isolated")
    yield "llama3", *by_bytes([isolated(LLAMA3)])
    yield "qwen2", *by_bytes([isolated(QWEN2)], normalizers.NFC())
    yield "smollm", *by_bytes([pre_tokenizers.Digits(individual_digits=True)])
    yield "cased", *by_bytes([isolated(CASED)], normalizers.NFKC())
    yield "several", *by_bytes(
        [isolated(r"\p{N}{1,3}"), isolated(r"[一-龥぀-ゟ゠-ヿ]+"), pre_tokenizers.Split(Regex(r"\s+"), "merged_with_next"),
            pre_tokenizers.Punctuation("contiguous")], normalizers.NFKD())
    pieces = trainers.BpeTrainer(vocab_size=900, special_tokens=["<unk>", "<s>", "</s>", "<|end|>"]
        + [f"<0x{byte:02X}>" for byte in range(256)], show_progress=False, limit_alphabet=150)
    llama = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    llama.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    llama.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    yield "llama", llama, pieces
    gemma = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    gemma.normalizer = normalizers.Replace(" ", "▁")
    gemma.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    gemma.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    yield "gemma", gemma, pieces
    albert = Tokenizer(models.Unigram())
    albert.normalizer = normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()])
    albert.pre_tokenizer = pre_tokenizers.Metaspace()
    albert.decoder = decoders.Metaspace()
    yield "albert", albert, trainers.UnigramTrainer(vocab_size=1500, special_tokens=["<unk>", "<s>", "</s>", "<|end|>"]
        + [f"<0x{byte:02X}>" for byte in range(256)], unk_token="<unk>", show_progress=False)


def line(tokenizer, name, text):
    encoding = tokenizer.encode(text)
    return {
        "id": name, "text": text, "ids": encoding.ids, "offsets": encoding.offsets,
        "special_mask": encoding.special_tokens_mask, "decoded": tokenizer.decode(encoding.ids),
    }


def main():
    shared = pathlib.Path(sys.argv[1])
    golden = [json.loads(text) for text in open(shared / "roberta-base/golden.jsonl", encoding="utf-8")]
    texts, counts = [], {}
    for one in golden:
        kind = one["kind"].split(":")[0] if not one["kind"].startswith("nat:") else one["kind"]
        if "pair" in one or len(one["text"]) > 90 or counts.get(kind, 0) >= 1:
            continue
        counts[kind] = counts.get(kind, 0) + 1
        texts.append(one["text"])
    texts += MORE
    for name, tokenizer, trainer in kinds():
        tokenizer.train_from_iterator(texts, trainer)
        if name == "albert":
            state = json.loads(tokenizer.to_str())
            state["model"]["byte_fallback"] = True
            tokenizer = Tokenizer.from_str(json.dumps(state))
        template = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B",
            special_tokens=[("<s>", tokenizer.token_to_id("<s>"))])
        tokenizer.post_processor = processors.Sequence(
            [processors.ByteLevel(trim_offsets=False), template]) if name == "llama3" else template
        folder = HERE / "decoders" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tokenizer.json").write_text(
            json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=True, separators=(",", ":")) + "\n")
        with open(folder / "golden.jsonl", "w") as file:
            for index, text in enumerate(texts):
                file.write(json.dumps(line(tokenizer, f"text{index}", text), separators=(",", ":")) + "\n")
        if len(sys.argv) > 2:
            out = pathlib.Path(sys.argv[2]) / name
            out.mkdir(parents=True, exist_ok=True)
            (out / "tokenizer.json").write_text((folder / "tokenizer.json").read_text())
            with open(out / "golden.jsonl", "w") as file:
                for index, text in enumerate([one["text"] for one in golden if "pair" not in one]):
                    file.write(json.dumps(line(tokenizer, f"text{index}", text)) + "\n")


main()
