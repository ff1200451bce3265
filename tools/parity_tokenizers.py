#!/usr/bin/env python3
"""Compares hone's tokenizers with the PyPI packages, string by string.

usage: tools/parity_tokenizers.py DRIVER TOKENIZER... [--count N] [--seed N]

DRIVER is tools/bench/tokenizers.cpp, built. A TOKENIZER is a tokenizer.json (oracle: the package tokenizers), a
directory (transformers.AutoTokenizer) or tiktoken's ranks, FILE:cl100k or FILE:r50k (the package tiktoken). N strings
(20,000) of every script, emoji, white space, broken UTF-8 and spellings of special tokens are encoded as text that is
to be parsed, with what the post-processor adds, with offsets, as pairs, and decoded again at once and id by id. Prints
a line a tokenizer; the exit status is 1 when anything differs.
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys

SCRIPTS = [(0x20, 0x7E), (0xA0, 0x24F), (0x250, 0x2FF), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x530, 0x58F),
           (0x590, 0x5FF), (0x600, 0x6FF), (0x700, 0x8FF), (0x900, 0x97F), (0x980, 0xDFF), (0xE00, 0xEFF),
           (0xF00, 0x109F), (0x10A0, 0x11FF), (0x1200, 0x139F), (0x13A0, 0x18AF), (0x1900, 0x1CFF), (0x1D00, 0x1DFF),
           (0x1E00, 0x1FFF), (0x2000, 0x206F), (0x2070, 0x218F), (0x2190, 0x2BFF), (0x2C00, 0x2DFF), (0x2E00, 0x303F),
           (0x3040, 0x30FF), (0x3100, 0x33FF), (0x3400, 0x9FFF), (0xA000, 0xABFF), (0xAC00, 0xD7FF), (0xE000, 0xF8FF),
           (0xF900, 0xFDFF), (0xFE00, 0xFFFD), (0x10000, 0x10FFF), (0x11000, 0x12FFF), (0x16000, 0x18FFF),
           (0x1B000, 0x1BFFF), (0x1D000, 0x1DFFF), (0x1E000, 0x1EFFF), (0x1F000, 0x1FAFF), (0x20000, 0x323AF),
           (0xE0000, 0xE01FF)]
SPACES = [" ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", " \n ", "\u00a0", "\u2003", "\u3000", "\u0085", "\u2028",
          "\u200b", "\u180e", "\x0b", "\x0c", "\x1c"]
EMOJI = ["👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "🙂", "❤️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "🫠"]
WORDS = ("the The THE of and don't we'll I'M They'Ve 'sup it's y'all'd've 'ſ hello world tokenization unbelievable naïve "
         "café Ångström Zürich İstanbul straße Ελλάδα привет съешь 日本語 楽しい 中文 한국어 नमस्ते ภาษาไทย العربية שלום "
         "3.14159 1,234,567 2024-11-22 12345678 ½ Ⅷ ² ٣٤٥ a_b snake_case camelCase HTTPServer foo(bar) x=1; // !!! ... "
         "?! -- — “quoted” ‘it’ $5.00 €4,60 ±3% user@example.com https://example.com/a?b=c#d <br/> </s> <unk> ▁ Ġ Ċ ## "
         "##ing [UNK] [CLS] do not n't .").split(" ")


def strings(generator, count, special):
    def character():
        first, last = generator.choice(SCRIPTS)
        return chr(generator.randint(first, last))

    def part():
        kind = generator.random()
        if kind < 0.35:
            return generator.choice(WORDS)
        if kind < 0.55:
            return generator.choice(SPACES) * generator.choice((1, 1, 1, 2, 5))
        if kind < 0.65:
            first, last = generator.choice(SCRIPTS)
            return "".join(chr(generator.randint(first, last)) for _ in range(generator.randint(1, 8)))
        if kind < 0.75:
            return "".join(character() for _ in range(generator.randint(1, 6)))
        if kind < 0.82:
            return generator.choice(EMOJI) * generator.choice((1, 1, 3))
        if kind < 0.90 and special:
            token = generator.choice(special)
            return generator.choice((token, token[:-1], " " + token + " ", token.lower(), "a" + token + "b", token * 2))
        if kind < 0.93:
            return generator.choice(("a", "=", "é", "€", "aB", "0", " ", "\n")) * generator.randint(2, 80)
        if kind < 0.96:  # broken UTF-8, as Python decodes it
            word = generator.choice(WORDS).encode() + bytes(generator.randint(0x80, 0xFF) for _ in range(3))
            return word.decode("utf-8", "replace")
        return chr(generator.randint(1, 0x7F))

    for _ in range(count):
        text = "".join(part() for _ in range(generator.choice((0, 1, 2, 3, 5, 8, 13, 30))))
        yield "".join(c for c in text if not 0xD800 <= ord(c) < 0xE000)


class Rust:
    """The package tokenizers."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.precompiled = '"Precompiled"' in tokenizer.to_str()
        added = tokenizer.get_added_tokens_decoder()
        self.special = [token.content for token in added.values()]
        unknown = json.loads(tokenizer.to_str())["model"]
        self.special_ids = {i for i, token in added.items() if token.special and i != unknown.get("unk_id")
                            and token.content != unknown.get("unk_token")}

    def loses_count(self, texts):
        """The library's Precompiled normalizer gives wrong offsets where it deletes a character."""
        if not self.precompiled:
            return False
        normalize = self.tokenizer.normalizer.normalize_str
        return any(normalize(c) == "" for text in texts for c in set(text))

    def encode(self, text, add):
        return self.tokenizer.encode(*text, add_special_tokens=add)

    def encode_as_text(self, text):
        self.tokenizer.encode_special_tokens = True
        ids = self.tokenizer.encode(text, add_special_tokens=False).ids
        self.tokenizer.encode_special_tokens = False
        return ids

    def decode(self, ids, skip):
        return self.tokenizer.decode(ids, skip_special_tokens=skip)


def byte_offsets(text):
    places, at = [0], 0
    for c in text:
        at += len(c.encode())
        places.append(at)
    return places


def load(name):
    if ":" in name:
        return None
    from tokenizers import Tokenizer
    if pathlib.Path(name).is_dir():
        from transformers import AutoTokenizer
        return Rust(AutoTokenizer.from_pretrained(name, local_files_only=True)._tokenizer)
    return Rust(Tokenizer.from_file(name))


class Comparison:
    def __init__(self, driver, name, texts):
        self.driver, self.name, self.texts, self.wrong = driver, name, texts, []

    def run(self, lines, *flags):
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        done = subprocess.run([self.driver, self.name, *flags], input=text.encode(), stdout=subprocess.PIPE)
        answers = [json.loads(line) for line in done.stdout.decode().split("\n") if line]
        if done.returncode != 0 or len(answers) != len(lines):
            sys.exit(f"{self.name} {flags}: {len(answers)} answers to {len(lines)} lines; stopped at {lines[len(answers)]!r}")
        return answers

    def compare(self, what, lines, expected, answers):
        differing = [i for i in range(len(lines)) if expected[i] != answers[i]]
        if differing:
            self.wrong.append(f"{what}: {len(differing)}")
            for i in sorted(differing, key=lambda i: len(lines[i]))[:3]:
                print(f"  {what} {lines[i]!r}\n    expected {expected[i]!r}\n    got      {answers[i]!r}")


def whole(encoding, texts):
    places = [byte_offsets(text) for text in texts]
    offsets = []
    for (begin, end), sequence in zip(encoding.offsets, encoding.sequence_ids):
        offsets.append([0, 0] if sequence is None else [places[sequence][begin], places[sequence][end]])
    return {"ids": encoding.ids, "type_ids": encoding.type_ids, "offsets": offsets}


def compare_rust(comparison, oracle, generator):
    texts = comparison.texts
    encodings = [oracle.encode((text,), True) for text in texts]
    comparison.compare("ids", texts, [e.ids for e in encodings], comparison.run(texts, "encode", "--add", "--parse"))
    counted = [(e, t) for e, t in zip(encodings, texts) if not oracle.loses_count((t,))]
    lines = [text for _, text in counted]
    comparison.compare("offsets", lines, [whole(e, (t,)) for e, t in counted],
                       comparison.run(lines, "encode", "--add", "--parse", "--offsets"))
    # Where the vocabulary itself spells a special token the library lets text forge it; hone does not.
    as_text = {text: oracle.encode_as_text(text) for text in texts}
    honest = [text for text in texts if not oracle.special_ids.intersection(as_text[text])]
    comparison.compare("as text", honest, [as_text[text] for text in honest], comparison.run(honest, "encode"))
    pairs = [[texts[i], generator.choice(texts)] for i in range(0, len(texts), 10)]
    pairs = [pair for pair in pairs if not oracle.loses_count(pair)]
    comparison.compare("pairs", pairs, [whole(oracle.encode(pair, True), pair) for pair in pairs],
                       comparison.run(pairs, "encode", "--add", "--parse", "--offsets"))
    ids = [e.ids for e in encodings]
    size = oracle.tokenizer.get_vocab_size()
    ids += [[generator.randrange(size) for _ in range(generator.randint(0, 20))] for _ in range(len(texts) // 4)]
    for flags in (), ("--keep",):
        expected = [oracle.decode(line, not flags) for line in ids]
        comparison.compare(f"decode {flags}", ids, expected, comparison.run(ids, "decode", *flags))
        comparison.compare(f"stream {flags}", ids, expected, comparison.run(ids, "decode", "--stream", *flags))


def compare_tiktoken(comparison, kind):
    import tiktoken
    import tiktoken.load
    from tiktoken_ext import openai_public
    file = comparison.name
    ranks = tiktoken.load.load_tiktoken_bpe(file)
    openai_public.load_tiktoken_bpe = lambda *_, **__: ranks
    openai_public.data_gym_to_mergeable_bpe_ranks = lambda *_, **__: ranks
    pattern = {"cl100k": openai_public.cl100k_base, "r50k": openai_public.r50k_base}[kind]()["pat_str"]
    encoding = tiktoken.Encoding(kind, pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    texts = comparison.texts
    expected = [encoding.encode_ordinary(text) for text in texts]
    comparison.compare("ids", texts, expected, comparison.run(texts, "encode"))
    comparison.compare("decode", expected, texts, comparison.run(expected, "decode"))


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("driver")
    parser.add_argument("tokenizers", nargs="+")
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    failed = False
    for name in arguments.tokenizers:
        generator = random.Random(arguments.seed)
        oracle = load(name)
        file, _, kind = name.partition(":")
        special = oracle.special if oracle else ["<|endoftext|>"]
        comparison = Comparison(arguments.driver, file, list(strings(generator, arguments.count, special)))
        if oracle:
            compare_rust(comparison, oracle, generator)
        else:
            compare_tiktoken(comparison, kind)
        print(f"{name}: {arguments.count} strings: " + ("; ".join(comparison.wrong) or "equal"), flush=True)
        failed = failed or bool(comparison.wrong)
    return int(failed)


sys.exit(main())
