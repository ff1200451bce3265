#!/usr/bin/env python3
"""Writes tests/golden/tokenizer_training.json: what the trainers of the PyPI package `tokenizers` learn from the
sentences below.

usage: tools/golden/tokenizer_training.py     (needs `pip install tokenizers`)
"""
import collections
import json
import pathlib

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "tokenizer_training.json"

TEXTS = [
    "The quick brown fox jumps over the lazy dog, and then the dog jumps over the fox again.",
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness.",
    "She sells sea shells by the sea shore; the shells she sells are sea shells, I am sure.",
    "How much wood would a woodchuck chuck if a woodchuck could chuck wood? He would chuck as much as he could.",
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich; der Deich war größer als zwölf Deiche.",
    "Съешь же ещё этих мягких французских булок, да выпей же чаю. Ещё булок, ещё чаю!",
    "In 2023 there were 365 days; in 2024 there were 366 days, and in 2025 there are 365 again.",
    "for (int i = 0; i < n; ++i) { total += values[i]; } return total; // the total of the values",
    "Peter Piper picked a peck of pickled peppers. A peck of pickled peppers Peter Piper picked.",
    "If Peter Piper picked a peck of pickled peppers, where's the peck of pickled peppers Peter Piper picked?",
]


def bpe(vocab_size):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(TEXTS, trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=["<|eos|>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return {"vocab_size": vocab_size, "merges": json.loads(tokenizer.to_str())["model"]["merges"]}


def wordpiece(vocab_size, **options):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(TEXTS, trainers.WordPieceTrainer(
        vocab_size=vocab_size, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False,
        **options))
    vocab = tokenizer.get_vocab()
    return {"vocab_size": vocab_size, **options, "tokens": sorted(vocab, key=vocab.get)}


def unigram(vocab_size):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.train_from_iterator(TEXTS, trainers.UnigramTrainer(
        vocab_size=vocab_size, special_tokens=["<pad>", "<unk>"], unk_token="<unk>", show_progress=False))
    return {"vocab_size": vocab_size, "vocab": json.loads(tokenizer.to_str())["model"]["vocab"]}


def main():
    split = [word for text in TEXTS for word, _ in
             pre_tokenizers.BertPreTokenizer().pre_tokenize_str(normalizers.BertNormalizer().normalize_str(text))]
    # A limit that no two equally frequent characters straddle.
    counts = sorted(collections.Counter("".join(split)).values(), reverse=True)
    limit = next(n for n in range(18, len(counts)) if counts[n - 1] > counts[n])
    golden = {"texts": TEXTS, "words": split, "bpe": [bpe(300), bpe(420)],
              "wordpiece": [wordpiece(180), wordpiece(400, min_frequency=3), wordpiece(160, limit_alphabet=limit)],
              "unigram": [unigram(800), unigram(130)]}
    OUT.write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n")
    print(OUT, OUT.stat().st_size, "bytes")


main()
