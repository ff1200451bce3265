#!/usr/bin/env python3
"""Writes tests/golden/context_words.json: to which word the tokenizers library says each token belongs.

A tokenizer of each kind, trained on the texts themselves; offsets are bytes.

usage: tools/golden/context_words.py     (needs `pip install tokenizers`)
"""
import json
import pathlib

import tokenizers
from tokenizers import models, pre_tokenizers, processors, trainers

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "context_words.json"
TEXTS = [
    "It's the king's 2nd   castle, built in 1871-75.",
    " Zürich… and 東京 (Tokyo)\n\nwe'll see: 100% of it!?",
    "a  b\tc   ",
    "they've 'tis 'don't' x",
    "naïve e\u0301tude №5 ½ ²",
]


def make(kind):
    if kind == "subword_marks":
        made = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
        made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(vocab_size=80, special_tokens=["[UNK]"], show_progress=False)
    else:
        made = tokenizers.Tokenizer(models.BPE())
        level = kind == "byte_level"
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False) if level else pre_tokenizers.Sequence(
            [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
        if level:
            made.post_processor = processors.ByteLevel(trim_offsets=True)
        alphabet = pre_tokenizers.ByteLevel.alphabet() if level else []
        trainer = trainers.BpeTrainer(vocab_size=290 if level else 90, initial_alphabet=alphabet, show_progress=False)
    made.train_from_iterator(TEXTS, trainer)
    return made


cases = []
for kind in ("subword_marks", "byte_level", "spaces"):
    tokenizer = make(kind)
    for text in TEXTS:
        encoded = tokenizer.encode(text)
        offsets = [[len(text[:begin].encode()), len(text[:end].encode())] for begin, end in encoded.offsets]
        tokens = {"tokens": encoded.tokens, "offsets": offsets, "words": encoded.word_ids}
        cases.append({"rule": kind, "text": text, **tokens})
lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases)
OUT.write_text('{"tokenizers": "' + tokenizers.__version__ + '", "cases": [\n' + lines + "\n]}\n", encoding="utf-8")
