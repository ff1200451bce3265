#!/usr/bin/env python3
"""Training tokenizers side by side with the PyPI package `tokenizers`: seconds of both, in turns, and the ratio.

usage: tokenizer_training_peer.py PROGRAM FILE [runs]     PROGRAM is tools/bench/tokenizer_training.cpp, compiled

Both train with the same normalizer, split, special tokens and vocabulary; one thread each. The best of the runs. For
unigram it also prints by how much the score of the words of FILE differs (positive: hone's is more likely).
"""
import json
import os
import subprocess
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import Tokenizer, models, pre_tokenizers, trainers  # noqa: E402

VOCABULARY = {"bpe": 8000, "wordpiece": 8000, "unigram": 4000}


def peer(kind, ours, lines):
    """An untrained tokenizer with the rules of `ours`, trained; seconds and the tokenizer."""
    special = [token.content for _, token in sorted(ours.get_added_tokens_decoder().items())]
    options = dict(vocab_size=VOCABULARY[kind], special_tokens=special, show_progress=False)
    if kind == "bpe":
        tokenizer = Tokenizer(models.BPE())
        trainer = trainers.BpeTrainer(initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), **options)
    elif kind == "wordpiece":
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        trainer = trainers.WordPieceTrainer(**options)
    else:
        tokenizer = Tokenizer(models.Unigram())
        trainer = trainers.UnigramTrainer(unk_token="<unk>", **options)
    if ours.normalizer:
        tokenizer.normalizer = ours.normalizer
    tokenizer.pre_tokenizer = ours.pre_tokenizer
    start = time.perf_counter()
    tokenizer.train_from_iterator(lines, trainer)
    return time.perf_counter() - start, tokenizer


def likelihood(tokenizer, lines):
    vocab = json.loads(tokenizer.to_str())["model"]["vocab"]
    unknown = min(score for _, score in vocab) - 10
    return sum(vocab[i][1] if vocab[i][0] != "<unk>" else unknown
               for line in lines for i in tokenizer.encode(line, add_special_tokens=False).ids)


def main():
    program, file = sys.argv[1:3]
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    with open(file, encoding="utf-8", newline="") as text:
        whole = text.read()
    for kind, size in VOCABULARY.items():
        # Byte-level BPE sees the text whole, the others line by line.
        lines = [whole] if kind == "bpe" else whole.split("\n")
        with tempfile.TemporaryDirectory() as folder:
            own, theirs = [], []
            for _ in range(runs):
                command = [program, kind, str(size), file, folder]
                result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                own.append(result["seconds"])
                ours = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
                seconds, trained = peer(kind, ours, lines)
                theirs.append(seconds)
        line = {"type": kind, "vocabulary": result["vocabulary"], "hone": min(own), "tokenizers": round(min(theirs), 4),
                "ratio": round(min(theirs) / min(own), 2),
                "common": len(set(ours.get_vocab()) & set(trained.get_vocab()))}
        if kind == "unigram":
            expected = likelihood(trained, lines)
            line["likelihood_percent"] = round(100 * (likelihood(ours, lines) - expected) / abs(expected), 3)
        print(json.dumps(line), flush=True)


main()
