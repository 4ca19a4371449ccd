"""Makes the fixtures of HubTokenizersTests: python make.py SHARED, where SHARED is the folder of shared tokenizer data.

Needs Hugging Face's `tokenizers` and `transformers`, and `sentencepiece` (0.22.2, 4.57.6 and 0.2.1 were used). The
vocabularies of `uncased` and `cased` are small parts of those of bert-base-uncased and bert-base-multilingual-cased
(Apache 2.0): the tokens that the texts need, and single characters. `added` is the cased one with added tokens of every
kind. `pieces` (XLM-R's kind) and `bytes` (RoBERTa's) are trained on the texts; `bytes-prefixed` puts a space before
each text. Expected values are what `tokenizers` gives for the small vocabularies.
"""

import json
import pathlib
import sys
import tempfile
import unicodedata

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, ByteLevelBPETokenizer, Tokenizer, normalizers, pre_tokenizers
from transformers import RobertaTokenizerFast, XLMRobertaTokenizerFast

HERE = pathlib.Path(__file__).parent
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
KINDS = """arabic case cjkmix code combining compat contraction control emoji empty fuzz hangul kana longword number odd
punct special-literal thai url whitespace zerowidth""".split()
PER_KIND = 5
WORDS = [
    ["Hello", "world", "!"], ["don't", "un-believ-able", "U.S.A."], ["", "two words", " ", "\u0301", "e\u0301"],
    ["[MASK]", "a[SEP]b", "[MASK] [MASK]"], [], ["東京tower", "straße", "İstanbul", "한국어"],
    ["\u200b", "x\u200by", "\ufffd"],
]
ADDED = [
    "<e1>x</e1> and x<e1> and <e1>", "New York, new york, New Yorker, New York", "a  <left>  b", "a <right>   b",
    "<left><right> <left>",
    "word solo words solo, unsolo solo", "caf\u00e9 cafe\u0301 CAF\u00c9", "solo<e1>solo  <right>solo",
    "\u3000<left> <right>\u2003\n", "solo_ \u0301solo solo\u0301",
]
UNICODE_TRIALS = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def record(tokenizer, name, text, pair=None, words=None):
    encoding = tokenizer.encode(words, is_pretokenized=True) if words is not None else tokenizer.encode(text, pair)
    line = {"id": name}
    if words is not None:
        line["words"] = words
    else:
        line["text"] = text
    if pair is not None:
        line["pair"] = pair
    if tokenizer.truncation:
        line["max_length"] = tokenizer.truncation["max_length"]
    sequences = [-1 if s is None else s for s in encoding.sequence_ids]
    return line | {
        "ids": encoding.ids, "tokens": [tokenizer.id_to_token(i) for i in encoding.ids], "offsets": encoding.offsets,
        "type_ids": encoding.type_ids,
        "special_mask": encoding.special_tokens_mask, "seq": sequences, "word_ids": encoding.word_ids,
        "decoded": tokenizer.decode(encoding.ids),
    }


def golden(tokenizer, texts, of_words):
    """`of_words` is the tokenizer of words that stand alone."""
    for index, text in enumerate(texts):
        yield record(tokenizer, f"text{index}", text)
    for index in range(0, len(texts) - 1, 8):
        yield record(tokenizer, f"pair{index}", texts[index], pair=texts[index + 1])
    for index, words in enumerate(WORDS):
        yield record(of_words, f"words{index}", None, words=words)
    for length in [3, 4, 5, 8, 9]:
        tokenizer.enable_truncation(length)
        of_words.enable_truncation(length)
        for index in range(0, len(texts) - 1, 16):
            yield record(tokenizer, f"short{length}-{index}", texts[index])
            if length >= tokenizer.num_special_tokens_to_add(True):
                yield record(tokenizer, f"short{length}-pair{index}", texts[index], pair=texts[index + 1])
            yield record(of_words, f"short{length}-words{index}", None, words=texts[index].split())
    tokenizer.no_truncation()
    of_words.no_truncation()


def write(name, tokenizer, texts, of_words=None):
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    (folder / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    lines = [json.dumps(line, ensure_ascii=True, separators=(",", ":"))
        for line in golden(tokenizer, texts, of_words or tokenizer)]
    (folder / "golden.jsonl").write_text("\n".join(lines) + "\n")


def smaller(full, texts):
    """The tokenizer with the tokens that the texts need."""
    needed = {token for text in texts + sum(WORDS, []) + ADDED for token in full.encode(text).tokens}
    needed |= {prefix + chr(c) for prefix in ("", "##") for c in range(0x21, 0x7F)}
    kept = SPECIAL + [t for t in sorted(full.get_vocab(), key=full.token_to_id) if t in needed and t not in SPECIAL]
    description = json.loads(full.to_str())
    ids = {token: index for index, token in enumerate(kept)}
    description["model"]["vocab"] = ids
    for token in description["added_tokens"]:
        token["id"] = ids[token["content"]]
    for token in description["post_processor"]["special_tokens"].values():
        token["ids"] = [ids[t] for t in token["tokens"]]
    return Tokenizer.from_str(json.dumps(description)), kept


def pieces(texts):
    """A unigram model, with the compatibility forms of the texts' characters as its rules."""
    folder = HERE / "pieces"
    folder.mkdir(exist_ok=True)
    model = folder / "sentencepiece.bpe.model"
    hexadecimal = lambda text: " ".join(f"{ord(c):X}" for c in text)
    with tempfile.TemporaryDirectory() as place:
        rules = {c: unicodedata.normalize("NFKC", c) for text in texts + sum(WORDS, []) for c in text}
        rules |= {unicodedata.normalize("NFD", c): c for text in texts for c in text
            if len(unicodedata.normalize("NFD", c)) > 1}
        rules |= {"\t": " ", "\n": " ", "\u200b": "", "e\u0301": "\u00e9"}
        lines = [f"{hexadecimal(old)}\t{hexadecimal(new)}" for old, new in sorted(rules.items()) if old != new
            and old not in " \0"]
        (pathlib.Path(place) / "rules.tsv").write_text("\n".join(lines) + "\n")
        (pathlib.Path(place) / "texts").write_text("\n".join(t.replace("\0", "") for t in texts if t.isprintable()))
        sentencepiece.SentencePieceTrainer.train(
            input=f"{place}/texts", model_prefix=f"{place}/m", vocab_size=600, hard_vocab_limit=False,
            character_coverage=0.98,
            normalization_rule_tsv=f"{place}/rules.tsv", minloglevel=2)
        trained = sentencepiece_model_pb2.ModelProto.FromString((pathlib.Path(place) / "m.model").read_bytes())
        trained.trainer_spec.ClearField("input")
        trained.trainer_spec.ClearField("model_prefix")
        trained.normalizer_spec.ClearField("normalization_rule_tsv")
        model.write_bytes(trained.SerializeToString())
    # The mask as AutoTokenizer has it, and the files of the model itself.
    mask = AddedToken("<mask>", lstrip=True, normalized=False, special=True)
    return XLMRobertaTokenizerFast(vocab_file=str(model), mask_token=mask).backend_tokenizer


def byte_pairs(texts):
    """RoBERTa's kind of tokenizer, as it comes and with a space before each text."""
    folder = HERE / "bytes"
    folder.mkdir(exist_ok=True)
    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(texts, vocab_size=700, min_frequency=2, show_progress=False,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    trained.save_model(str(folder))
    files = {"vocab_file": str(folder / "vocab.json"), "merges_file": str(folder / "merges.txt")}
    return [RobertaTokenizerFast(**files, add_prefix_space=space).backend_tokenizer for space in (False, True)]


def ranges(characters):
    found = []
    for value in map(ord, characters):
        if found and found[-1][1] == value - 1:
            found[-1][1] = value
        else:
            found.append([value, value])
    return found


def unicode():
    """The classes of all characters, asked of the library one by one."""
    def rules(**on):
        names = ["clean_text", "handle_chinese_chars", "strip_accents", "lowercase"]
        return normalizers.BertNormalizer(**{name: on.get(name, False) for name in names})

    clean, ideographs, accents = rules(clean_text=True), rules(handle_chinese_chars=True), rules(strip_accents=True)
    cut = pre_tokenizers.BertPreTokenizer()
    pieces = {c: len(cut.pre_tokenize_str(f"a{c}b")) for c in UNICODE_TRIALS}
    return {
        "dropped": ranges(c for c in UNICODE_TRIALS if clean.normalize_str(f"a{c}b") == "ab"),
        "accents": ranges(c for c in UNICODE_TRIALS if accents.normalize_str(f"a{c}b") == "ab"),
        "ideographs": ranges(c for c in UNICODE_TRIALS if ideographs.normalize_str(c) != c),
        "spaces": ranges(c for c in UNICODE_TRIALS if pieces[c] == 2),
        "punctuation": ranges(c for c in UNICODE_TRIALS if pieces[c] == 3),
    }


def main(shared):
    lines = [json.loads(line) for line in (shared / "bert-base-uncased" / "golden.jsonl").open(encoding="utf-8")
        if line.strip()]
    texts = [t for kind in KINDS
        for t in [x["text"] for x in lines if x["kind"] == kind and len(x["text"]) < 160][:PER_KIND]]
    for name, source in [("uncased", "bert-base-uncased"), ("cased", "bert-base-multilingual-cased")]:
        tokenizer, kept = smaller(Tokenizer.from_file(str(shared / source / "tokenizer.json")), texts)
        write(name, tokenizer, texts)
        if name == "uncased":
            (HERE / name / "vocab.txt").write_text("\n".join(kept) + "\n", encoding="utf-8")
    tokenizer.add_special_tokens([AddedToken("<e1>", normalized=False)])
    tokenizer.add_tokens([
        "New York", AddedToken("<left>", lstrip=True, normalized=False),
        AddedToken("<right>", rstrip=True, normalized=False),
        AddedToken("solo", single_word=True), AddedToken("caf\u00e9", normalized=True),
    ])
    write("added", tokenizer, ADDED)
    more = texts + ["video  <mask> over", " <mask>", "<s>a</s> <unk>", "it's we'll I'VE they'd 's", "a\n\n b  c \n",
        "\t x\u00a0 y"]
    write("pieces", pieces(texts), more)
    plain, prefixed = byte_pairs(texts)
    write("bytes", plain, more, of_words=prefixed)
    write("bytes-prefixed", prefixed, more)
    (HERE / "cased" / "tokenizer_config.json").write_text(
        '{"do_lower_case": false, "model_max_length": 1000000000000000019884624838656}\n')
    (HERE / "unicode.json").write_text(json.dumps(unicode(), separators=(",", ":")) + "\n")


main(pathlib.Path(sys.argv[1]))
