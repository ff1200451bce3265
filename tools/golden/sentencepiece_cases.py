#!/usr/bin/env python3
"""Writes tests/golden/sentencepiece.json: what the sentencepiece, tokenizers and transformers libraries give for awkward
texts, with small models trained on the sentences below and, where $HONE_TEST_DATA is set, with published ones.

usage: tools/golden/sentencepiece_cases.py     (needs `pip install sentencepiece tokenizers transformers protobuf`)
"""
import base64
import io
import json
import os
import pathlib
import tempfile

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as proto
from tokenizers import Tokenizer, models, normalizers
from transformers import AutoTokenizer

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "sentencepiece.json"

CORPUS = [
    "the quick brown fox jumps over the lazy dog and then the dog jumps over the fox again",
    "It's what we've got; they'll say it's there's nothing I'd do that you're not doing, aren't I'm.",
    "In 2023 there were 365 days, 1,234,567 things and 3.14159 of those in 100 places.",
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich; façade, naïve, café.",
    "Съешь же ещё этих мягких французских булок, да выпей чаю. これは日本語の文です。日本語は楽しい。",
    "for (int i = 0; i < n; ++i) { total += values[i]; } return total;",
] * 4

# Rewriting rules of the small models: code points, a tab, code points.
RULES = {"\ufb01": "fi", "e\u0301": "\u00e9", "\u2460": "1", "\uff21": "A", "\u3000": " ", "\t": " ", "\n": " ",
         "\u200b": "", "\u203c": "!!", "\u00a9": "(c)", "\r\n": " ", "ab\u0300": "x", "\uac00\u0300": "\uac00",
         "\u2026": "..."}

TEXTS = [
    "", " ", "   ", "a", " a", "a ", "the the  the   the", "  two  spaces  ", "It's THEY'LL", "1,234.50 ٣٤٥ ½ Ⅷ",
    "hello\u00a0world\u3000end", "a\tb\nc\r\nd", "zero\u200bwidth\u200djoin", "e\u0301 é A\u030a ﬁ ﬁ\u0301 ‼\u0300 ‼",
    "©\u200d© ©\u0301", "ab\u0300 ab\u0300\u0301", "각 \u1100\u1161\u11a8 가\u0300", "日本語は楽しい。テスト①",
    "👩‍👩‍👧‍👦 🇩🇪 👍🏽 🙂🙂", "mixed123abc_def-ghi", "!!!???...,,,;;; …", "<s> </s> <unk> <sep>the<sep> <0x0A>",
    "<unk><unk> x<unk>", "▁ ▁▁the ▁", "\x00\x01 \x00a\x7f", "\ufeffbom \ufffd", "x" * 60, "ab" * 50 + " " + "the" * 30,
    " " * 70 + "x", "नमस्ते दुनिया क्ष", "price: $5.00 (≈ €4.60) ±3% – “quoted”", "\u0600a \u0600\u0301b", "Ａ①Ａ①",
    "the\u0301 fo\u0300x \u0301the", "quick brown fox jumps over", "Zwölf Boxkämpfer", "булок, да выпей чаю",
]

VARIANTS = [
    ("bpe_bytes", "bpe", dict(byte_fallback=True, vocab_size=560, remove_extra_whitespaces=False)),
    ("bpe_rules", "bpe", dict(vocab_size=300, rules=True, user_defined_symbols=["<sep>", "▁the▁", "ing"])),
    ("bpe_suffix", "bpe", dict(vocab_size=280, treat_whitespace_as_suffix=True)),
    ("bpe_across", "bpe", dict(vocab_size=320, split_by_whitespace=False, add_dummy_prefix=False)),
    ("unigram_rules", "unigram", dict(vocab_size=240, rules=True)),
    ("unigram_bytes", "unigram", dict(vocab_size=480, byte_fallback=True, rules=True,
                                      user_defined_symbols=["<sep>", "of the", "▁a▁"])),
    ("unigram_plain", "unigram", dict(vocab_size=220, add_dummy_prefix=False, remove_extra_whitespaces=False)),
]

PUBLISHED = ["llama2_spm/tokenizer.model", "t5/spiece.model", "sentencepiece_small/test_model.model",
             "torchtune_assets/m.model"]

CONFIGS = [
    ("bpe_bytes", {"tokenizer_class": "LlamaTokenizer"}),
    ("bpe_bytes", {"tokenizer_class": "LlamaTokenizerFast", "add_bos_token": True, "add_eos_token": True,
                   "legacy": True, "pad_token": "<unk>"}),
    ("bpe_bytes", {"tokenizer_class": "LlamaTokenizer", "add_prefix_space": False, "add_bos_token": True,
                   "additional_special_tokens": ["<x>", "<y>"]}),
    ("bpe_bytes", {"tokenizer_class": "LlamaTokenizer", "pad_token": "<pad>", "added_tokens_decoder": {
        "1": {"content": "<s>", "lstrip": False, "normalized": True, "rstrip": False, "single_word": False,
              "special": True},
        "560": {"content": "<pad>", "lstrip": False, "normalized": False, "rstrip": False, "single_word": False,
                "special": True},
        "561": {"content": "<|im_start|>", "lstrip": False, "normalized": False, "rstrip": True, "single_word": False,
                "special": False}}}),
    ("bpe_rules", {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True}),
    ("t5", {"tokenizer_class": "T5TokenizerFast", "extra_ids": 3}),
    ("t5", {"tokenizer_class": "T5Tokenizer", "extra_ids": 100, "additional_special_tokens":
            ["<extra_id_0>", "<extra_id_1>"], "eos_token": "</s>"}),
]


def train(folder, kind, options):
    options = dict(options)
    if options.pop("rules", False):
        rules = folder / "rules.tsv"
        points = lambda text: " ".join(f"{ord(c):X}" for c in text)
        rules.write_text("".join(f"{points(old)}\t{points(new)}\n" for old, new in RULES.items()))
        options["normalization_rule_tsv"] = str(rules)
    else:
        options["normalization_rule_name"] = "identity"
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(CORPUS), model_writer=model, model_type=kind,
                                             character_coverage=1.0, hard_vocab_limit=False, minloglevel=2, **options)
    return model.getvalue()


def cases(model):
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    result = []
    for text in TEXTS:
        ids = processor.encode(text)
        result.append({"text": text, "ids": ids, "decoded": processor.decode(ids)})
    return result


def unigram_cases(model, byte_fallback):
    """The Unigram model and the Precompiled normalizer of the tokenizers library over the same pieces."""
    parsed = proto.ModelProto.FromString(model)
    tokenizer = Tokenizer(models.Unigram([(piece.piece, piece.score) for piece in parsed.pieces],
                                         parsed.trainer_spec.unk_id, byte_fallback))
    charsmap = parsed.normalizer_spec.precompiled_charsmap
    normalizer = normalizers.Precompiled(charsmap) if charsmap else normalizers.Sequence([])
    result = []
    for text in TEXTS:
        encoded = tokenizer.encode(text)
        result.append({"text": text, "ids": encoded.ids, "offsets": encoded.offsets,
                       "normalized": normalizer.normalize_str(text)})
    return result


def converted(folder, model, config):
    directory = folder / "converted"
    directory.mkdir(exist_ok=True)
    (directory / "tokenizer.model").write_bytes(model)
    (directory / "tokenizer_config.json").write_text(json.dumps(config))
    tokenizer = AutoTokenizer.from_pretrained(directory)
    description = json.loads(tokenizer.backend_tokenizer.to_str())
    if description["normalizer"]:
        description["normalizer"]["precompiled_charsmap"] = ""  # as in the model
    vocab = description["model"].pop("vocab")
    description["model"].pop("type")
    return {"config": config, "description": description,
            "tokens": [token if isinstance(token, str) else token[0] for token in vocab],
            "cases": [{"text": text, "ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=True)}
                      for text, ids in ((text, tokenizer.encode(text)) for text in TEXTS)]}


def t5_model(folder):
    """A Unigram model whose control pieces stand as T5's do."""
    return train(folder, "unigram", dict(vocab_size=230, rules=True, pad_id=0, eos_id=1, unk_id=2, bos_id=-1))


def main():
    golden = {"small": [], "published": [], "unigram": [], "converted": []}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        small = {"t5": t5_model(folder)}
        for label, kind, options in VARIANTS:
            small[label] = train(folder, kind, options)
        for label, model in small.items():
            golden["small"].append({"name": label, "model": base64.b64encode(model).decode(), "cases": cases(model)})
        for label in ("unigram_rules", "unigram_bytes", "unigram_plain"):
            for byte_fallback in (False, True):
                golden["unigram"].append({"name": label, "byte_fallback": byte_fallback,
                                          "cases": unigram_cases(small[label], byte_fallback)})
        for label, config in CONFIGS:
            golden["converted"].append({"name": label, **converted(folder, small[label], config)})
    data = os.environ.get("HONE_TEST_DATA")
    for file in PUBLISHED if data else []:
        model = (pathlib.Path(data) / "tokenizers" / file).read_bytes()
        golden["published"].append({"file": file, "cases": cases(model)})
    OUT.write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n")
    print(OUT, OUT.stat().st_size, "bytes")


main()
