"""Makes `training/expected.json`: the vocabularies that Hugging Face's `WordPieceTrainer` makes of the texts there.

Needs `tokenizers` (0.22.2 was used). It numbers the characters that continue words as it comes across them, which is
another order in each run, and pairs that occur as often go by these numbers. Here all characters are given in advance,
in the order of their code points, and each run makes the same.
"""

import collections
import json
import pathlib

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent / "training"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
CASES = [
    {"vocabulary": 700},
    {"vocabulary": 560, "minimumFrequency": 3},
    {"vocabulary": 4000, "minimumFrequency": 1},
    {"vocabulary": 4000, "minimumFrequency": 2},
    {"vocabulary": 600, "lowercase": True, "stripAccents": True},
    {"vocabulary": 4000, "alphabet": 115},
    {"vocabulary": 420, "alphabet": 62, "lowercase": True},
]


def characters(tokenizer, texts, limit):
    """The characters that are kept, and those that continue words, as pieces."""
    normal = [tokenizer.normalizer.normalize_str(text) for text in texts]
    words = [word for text in normal for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text)]
    counts = collections.Counter("".join(words)).most_common()
    if limit and counts[limit - 1][1] == counts[limit][1]:
        raise ValueError(f"the characters {limit} and {limit + 1} are as frequent")
    kept = {character for character, _ in counts[:limit]}
    further = {character for word in words for character in word[1:]}
    return sorted(kept) + [f"##{character}" for character in sorted(kept & further)]


def vocabulary(case, texts):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(
        lowercase=case.get("lowercase", False), strip_accents=case.get("stripAccents", False))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    limit = case.get("alphabet")
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(
        vocab_size=case["vocabulary"], min_frequency=case.get("minimumFrequency", 2),
        special_tokens=SPECIAL + characters(tokenizer, texts, limit), show_progress=False,
        **({"limit_alphabet": limit} if limit else {})))
    ids = tokenizer.get_vocab()
    return sorted(ids, key=ids.get)


def main():
    texts = [line for name in ["a.txt", "b.txt"] for line in (HERE / name).read_text(encoding="utf-8").splitlines()]
    cases = [case | {"pieces": vocabulary(case, texts)} for case in CASES]
    if any(case["pieces"] != vocabulary(case, texts) for case in cases for _ in range(8)):
        raise ValueError("another run makes another vocabulary")
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    (HERE / "expected.json").write_text(f"[{lines}]\n", encoding="utf-8")


main()
