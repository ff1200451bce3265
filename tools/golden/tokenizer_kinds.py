#!/usr/bin/env python3
"""Writes tests/golden/tokenizer_kinds.json: what the PyPI package `tokenizers` gives with every component it has.

Small vocabularies are trained on the sentences of tokenizer_cases.py; around them stand all normalizers, pre-tokenizers,
post-processors and decoders in turn.

usage: tools/golden/tokenizer_kinds.py [FOLDER]   (needs `pip install tokenizers`; FOLDER also gets each tokenizer as a
       file, for tools/parity_tokenizers.py)
"""
import json
import pathlib
import sys

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders as D, models, normalizers as N, pre_tokenizers as P
from tokenizers import processors as R, trainers

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "tests" / "golden" / "tokenizer_kinds.json"
SENTENCES = [
    "the quick brown fox jumps over the lazy dog and then the dog jumps over the fox again",
    "It's what we've got; they'll say it's there's nothing I'd do that you're not doing, aren't I'm.",
    "In 2023 there were 365 days, 1,234,567 things and 3.14159 of those in 100 places.",
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich; façade, naïve, café.",
    "Съешь же ещё этих мягких французских булок, да выпей чаю. これは日本語の文です。日本語は楽しい。",
] * 3
TEXTS = ["", " ", "  two  spaces ", "The DOG's café", "naïve Å ﬁ ½ Ⅷ ²", "İSTANBUL Straße ẞ", "日本語は楽しい。テスト ー", "ещё the",
         "1,234 and 12", "a\u0301e\u0323\u0302 \ufb01", "tab\tnew\nline\r\n", "\x00\x0bctl\x7f\u200b\ufeff", "<s> the </s>[MASK]  x",
         "[mask] maskmask mask", "🙂👍🏽 x", "don't-do it!?", "a\u00a0b\u3000c\u2028d", "각 \u1100\u1161\u11a8", "зx日1 .", "\ufffdx\u180e\u1c8a",
         "do not n't . , 's", "x" * 60, "\U00011938\U0001e030\u32ff"]
SPECIAL = ["<unk>", "<s>", "</s>", "[MASK]"]


def trained(model, trainer, pre_tokenizer, normalizer=None):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizer
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return json.loads(tokenizer.to_str())["model"]


def base_models():
    bytes_ = [f"<0x{b:02X}>" for b in range(256)]
    words = trained(models.WordLevel(unk_token="<unk>"),
                    trainers.WordLevelTrainer(vocab_size=90, special_tokens=SPECIAL, show_progress=False), P.Whitespace())
    pieces = trained(models.WordPiece(unk_token="<unk>"),
                     trainers.WordPieceTrainer(vocab_size=170, special_tokens=SPECIAL, show_progress=False),
                     P.BertPreTokenizer(), N.BertNormalizer())
    merges = trained(models.BPE(unk_token="<unk>"), trainers.BpeTrainer(vocab_size=200, special_tokens=SPECIAL,
                                                                        show_progress=False), P.Metaspace())
    fallback = trained(models.BPE(unk_token="<unk>", byte_fallback=True),
                       trainers.BpeTrainer(vocab_size=420, special_tokens=SPECIAL + bytes_, show_progress=False),
                       P.Metaspace())
    affixes = trained(models.BPE(unk_token="<unk>"),
                      trainers.BpeTrainer(vocab_size=220, special_tokens=SPECIAL, show_progress=False,
                                          continuing_subword_prefix="##", end_of_word_suffix="</w>"), P.Whitespace())
    byte_level = trained(models.BPE(), trainers.BpeTrainer(vocab_size=330, special_tokens=SPECIAL, show_progress=False,
                                                           initial_alphabet=P.ByteLevel.alphabet()), P.ByteLevel())
    few_bytes = trained(models.BPE(), trainers.BpeTrainer(vocab_size=120, special_tokens=SPECIAL, show_progress=False),
                        P.ByteLevel())
    unigram = trained(models.Unigram(), trainers.UnigramTrainer(vocab_size=150, special_tokens=SPECIAL,
                                                                unk_token="<unk>", show_progress=False), P.Metaspace())
    return {"words": words, "pieces": pieces, "merges": merges, "fallback": fallback, "affixes": affixes,
            "bytes": byte_level, "few bytes": few_bytes, "unigram": unigram}


def regex(pattern, behavior, invert=False):
    return P.Split(Regex(pattern), behavior, invert)


def variants():
    """(name, model, normalizer, pre-tokenizer, post-processor, decoder)"""
    bert = R.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1",
                                special_tokens=[("<s>", 1), ("</s>", 2)])
    for name, normalizer in [
            ("bert", N.BertNormalizer()), ("bert cased", N.BertNormalizer(lowercase=False)),
            ("bert accents", N.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True)),
            ("nfc", N.NFC()), ("nfd", N.NFD()), ("nfkc", N.NFKC()), ("nfkd", N.NFKD()), ("nmt", N.Nmt()),
            ("lowercase", N.Lowercase()), ("strip", N.Strip()), ("strip left", N.Strip(True, False)),
            ("accents", N.Sequence([N.NFKD(), N.StripAccents()])), ("replace", N.Replace("o", "öö")),
            ("replace regex", N.Replace(Regex(r"\s+|[a-c]"), "_")), ("prepend", N.Prepend("▁x")),
            ("nothing", N.Sequence([]))]:
        yield name, "pieces", normalizer, P.BertPreTokenizer(), bert, D.WordPiece()
    for name, pre_tokenizer in [
            ("whitespace", P.Whitespace()), ("whitespace split", P.WhitespaceSplit()), ("scripts", P.UnicodeScripts()),
            ("digits", P.Sequence([P.Whitespace(), P.Digits(True)])), ("digit runs", P.Digits(False)),
            ("delimiter", P.CharDelimiterSplit("o")), ("fixed", P.FixedLength(3)),
            *[(f"punctuation {b}", P.Punctuation(b)) for b in ("removed", "merged_with_previous", "contiguous")],
            *[(f"string {b}", P.Split(" ", b)) for b in ("removed", "isolated", "merged_with_previous",
                                                         "merged_with_next", "contiguous")],
            *[(f"regex {b}", regex(r"[aeiou]|\d{2}", b)) for b in ("removed", "merged_with_previous",
                                                                    "merged_with_next", "contiguous")],
            ("inverted", regex(r"\w+|[^\w\s]", "removed", True)), ("empty matches", regex(r"o*", "merged_with_next"))]:
        yield name, "words", None, pre_tokenizer, None, None
    space = D.Metaspace()
    for scheme in "always", "first", "never":
        for splits in True, False:
            metaspace = P.Metaspace(prepend_scheme=scheme, split=splits)
            yield (f"metaspace {scheme} {splits}", "merges", None, metaspace, bert,
                   D.Metaspace(prepend_scheme=scheme))
            yield f"unigram {scheme} {splits}", "unigram", None, metaspace, bert, space
    yield "split metaspace", "merges", None, P.Sequence([P.WhitespaceSplit(), P.Metaspace(prepend_scheme="first")]), None, space
    llama = D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse(), D.Strip(" ", 1, 0)])
    yield "llama", "fallback", N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")]), None, bert, llama
    yield "gemma", "fallback", N.Replace(" ", "▁"), P.Split(" ", "merged_with_previous"), bert, llama
    yield "affixes", "affixes", N.NFC(), P.Whitespace(), None, D.BPEDecoder()
    roberta = R.RobertaProcessing(("</s>", 2), ("<s>", 1), trim_offsets=True, add_prefix_space=True)
    yield "roberta", "bytes", None, P.ByteLevel(add_prefix_space=True), roberta, D.ByteLevel()
    yield "bert processing", "pieces", N.Lowercase(), P.BertPreTokenizer(), R.BertProcessing(("</s>", 2), ("<s>", 1)), D.WordPiece(cleanup=False)
    yield "gpt2", "bytes", None, P.ByteLevel(add_prefix_space=False), R.ByteLevel(trim_offsets=True), D.ByteLevel()
    yield "few bytes", "few bytes", None, P.ByteLevel(), R.ByteLevel(trim_offsets=False), D.ByteLevel()
    yield "byte normalizer", "bytes", N.ByteLevel(), regex(r"Ġ?[a-z]+", "isolated"), None, D.ByteLevel()
    yield "ctc", "words", None, P.WhitespaceSplit(), None, D.CTC(pad_token="<unk>", word_delimiter_token="the")
    yield "stripped", "words", None, P.Whitespace(), None, D.Sequence([D.Fuse(), D.Strip("t", 2, 0), D.Replace(Regex("[hx]+"), "H")])


def build(name, model, parts):
    description = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
                   "pre_tokenizer": None, "post_processor": None, "decoder": None, "model": model}
    tokenizer = Tokenizer.from_str(json.dumps(description))
    for key, part in zip(("normalizer", "pre_tokenizer", "post_processor", "decoder"), parts):
        if part is not None:
            setattr(tokenizer, key, part)
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>", AddedToken("[MASK]", lstrip=True, rstrip=name < "m")])
    tokenizer.add_tokens([AddedToken("mask", single_word=True, normalized=True), AddedToken("Ünder", normalized=True)])
    return tokenizer


def byte_offsets(encoding, texts):
    places = []
    for text in texts:
        places.append([0])
        for c in text:
            places[-1].append(places[-1][-1] + len(c.encode()))
    return [[0, 0] if sequence is None else [places[sequence][begin], places[sequence][end]]
            for (begin, end), sequence in zip(encoding.offsets, encoding.sequence_ids)]


def case(tokenizer, *texts):
    encoding = tokenizer.encode(*texts)
    return {"texts": texts, "ids": encoding.ids, "types": encoding.type_ids, "offsets": byte_offsets(encoding, texts),
            "decoded": tokenizer.decode(encoding.ids), "kept": tokenizer.decode(encoding.ids, skip_special_tokens=False)}


def main():
    vocabularies = base_models()
    result = {"tokenizers": tokenizers.__version__, "models": vocabularies, "variants": []}
    for name, model, *parts in variants():
        tokenizer = build(name, vocabularies[model], parts)
        if len(sys.argv) > 1:
            tokenizer.save(str(pathlib.Path(sys.argv[1]) / (name.replace(" ", "_") + ".json")))
        description = json.loads(tokenizer.to_str())
        del description["model"]
        cases = [case(tokenizer, text) for text in TEXTS] + [case(tokenizer, "the dog", "ещё x")]
        result["variants"].append({"name": name, "model": model, "description": description, "cases": cases})
    text = json.dumps(result, ensure_ascii=True, separators=(",", ":"))
    OUT.write_text(text.replace('{"texts"', '\n{"texts"').replace('{"name"', '\n{"name"') + "\n")


main()
