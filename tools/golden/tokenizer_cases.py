#!/usr/bin/env python3
"""Writes tests/golden/tokenizers.json: ids that the PyPI package `tokenizers` gives for awkward texts.

One small vocabulary is trained on the sentences below; every variant puts other rules (splits, normaliser, template)
around it, as published models do.

usage: tools/golden/tokenizer_cases.py     (needs `pip install tokenizers`)
"""
import json
import pathlib

import tokenizers
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "tokenizers.json"

CORPUS = [
    "the quick brown fox jumps over the lazy dog and then the dog jumps over the fox again",
    "It's what we've got; they'll say it's there's nothing I'd do that you're not doing, aren't I'm.",
    "In 2023 there were 365 days, 1,234,567 things and 3.14159 of those in 100 places.",
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich; façade, naïve, café.",
    "Съешь же ещё этих мягких французских булок, да выпей чаю. これは日本語の文です。日本語は楽しい。",
    "for (int i = 0; i < n; ++i) {\n    total += values[i];\n}\n\n\nreturn total;\n",
] * 3

TEXTS = [
    "", " ", "  ", "\t", "\n", "\r\n", "\n\n\n", " \n \n", "a", " a", "a ", "  two  spaces  ", "the the  the   the",
    "It's THEY'LL we'Ve I'M 'sup 'ſ 'LL x's", "don't can't y'all'd've", "1 12 123 1234 12345 1,234.50 ٣٤٥ ½ Ⅷ ²",
    "hello\u00a0world\u2003wide\u3000end", "mongolian\u180evowel", "next\u0085line\u2028sep\u2029para", "zero\u200bwidth\u200djoin",
    "e\u0301 é A\u030a Å \u212b \ufb01 \u1e9b\u0323", "각 \u1100\u1161\u11a8 \uac00\u11a8", "a\u0323\u0307 a\u0307\u0323 \u0344 \u2126 \u0958",
    "日本語は楽しい。テスト", "👩‍👩‍👧‍👦 🇩🇪 👍🏽 🙂🙂", "mixed123abc_def-ghi", "snake_case camelCase PascalCase",
    "!!!???...,,,;;;", "  \n\n  code\n\tindent\r\n  more", "tabs\t\tand\x0bvertical\x0cfeed", "<|end|> <|start|>text<|end|>",
    "<|end |> <|en<|end|>", "  <|start|>  <|mask|>  x", "\x00\x01\x7f", "\ufeffbom", "end with newline\n", "end with spaces   ",
    "ÀÉÎÕÜ àéîõü ß ẞ İı", "x" * 70, "ab" * 60 + " " + "the" * 40, " " * 80 + "x", "\u05d0\u05b8\u05d1 \u0627\u0644\u0633\u0644\u0627\u0645",
    "नमस्ते दुनिया", "price: $5.00 (≈ €4.60) ±3% – “quoted” ‘single’ …",
]

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|" + REST
QWEN2 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|" + REST


def split(pattern):
    return pre_tokenizers.Split(tokenizers.Regex(pattern), "isolated")


def byte_level(prefix=False, regex=False):
    return pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=regex)


def base(vocab_size):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = byte_level(regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                  show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_special_tokens(["<|end|>", "<|start|>"])
    return json.loads(tokenizer.to_str())


def variants(model):
    def make(name, pre_tokenizer, normalizer=None, post_processor=None, edit=None):
        description = json.loads(json.dumps(model))
        if edit:
            edit(description)
        tokenizer = Tokenizer.from_str(json.dumps(description))
        tokenizer.pre_tokenizer = pre_tokenizer
        if normalizer:
            tokenizer.normalizer = normalizer
        if post_processor:
            tokenizer.post_processor = post_processor
        return name, tokenizer

    def ignore_merges(description):
        # "Ġthe" becomes a token that the merges never give: only ignore_merges finds it.
        merges = description["model"]["merges"]
        description["model"].update(ignore_merges=True, merges=[m for m in merges if "".join(m) != "Ġthe"])

    yield make("gpt2", byte_level(regex=True))
    yield make("gpt2 with prefix space", byte_level(prefix=True, regex=True))
    yield make("llama3", pre_tokenizers.Sequence([split(LLAMA3), byte_level()]), edit=ignore_merges,
               post_processor=processors.Sequence([
                   processors.ByteLevel(trim_offsets=False),
                   processors.TemplateProcessing(single="<|start|> $A", pair="<|start|> $A <|start|>:1 $B:1",
                                                 special_tokens=[("<|start|>", len(model["model"]["vocab"]) + 1)])]))
    yield make("qwen2", pre_tokenizers.Sequence([split(QWEN2), byte_level()]), normalizer=normalizers.NFC())
    yield make("digits", pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                                  byte_level(regex=True)]))
    name, stripping = make("stripping added tokens", byte_level(regex=True))
    stripping.add_tokens([AddedToken("<|mask|>", lstrip=True, rstrip=True, normalized=False, special=False)])
    yield name, stripping


def main():
    model = base(420)
    result = {"tokenizers": tokenizers.__version__, "model": model["model"], "variants": []}
    for name, tokenizer in variants(model):
        description = json.loads(tokenizer.to_str())
        cases = []
        for text in TEXTS:
            parsed = tokenizer.encode(text, add_special_tokens=True).ids
            tokenizer.encode_special_tokens = True
            as_text = tokenizer.encode(text, add_special_tokens=False).ids
            tokenizer.encode_special_tokens = False
            cases.append({"text": text, "parsed": parsed, "as_text": as_text,
                          "decoded": tokenizer.decode(parsed, skip_special_tokens=True)})
        description["model"] = {k: v for k, v in description["model"].items() if k not in ("vocab", "merges")}
        result["variants"].append({"name": name, "description": description, "cases": cases})
    text = json.dumps(result, ensure_ascii=True, separators=(",", ":"))
    OUT.write_text(text.replace('{"text"', '\n{"text"').replace('{"name"', '\n{"name"') + "\n")


main()
