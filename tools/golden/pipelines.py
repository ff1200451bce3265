#!/usr/bin/env python3
"""Writes tests/golden/pipelines.json: what the post-processing of transformers' pipelines makes of given logits.

text-classification, fill-mask and token-classification, the last with a WordPiece and a byte-level tokenizer whose
tokens, byte offsets and special tokens are written too.

usage: tools/golden/pipelines.py     (needs `pip install transformers torch`)
"""

import json
import pathlib
import random
import types
import warnings

import tokenizers
import torch
import transformers
from transformers.pipelines.fill_mask import FillMaskPipeline
from transformers.pipelines.text_classification import ClassificationFunction, TextClassificationPipeline
from transformers.pipelines.token_classification import AggregationStrategy, TokenClassificationPipeline

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "pipelines.json"
warnings.simplefilter("ignore")
draw = random.Random(41)


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return float(f"{value:.8g}") if isinstance(value, float) else value


def logits(*shape):
    count = 1
    for size in shape:
        count *= size
    return torch.tensor([float(f"{draw.gauss(0, 2):.3f}") for _ in range(count)]).reshape(shape)


def flat(tensor):
    return [float(f"{value:.3f}") for value in tensor.flatten().tolist()]


def pipeline(kind, tokenizer=None, **config):
    made = object.__new__(kind)
    made.model = types.SimpleNamespace(config=types.SimpleNamespace(**config), base_model_prefix="model")
    made.tokenizer = tokenizer
    return made


def text_classification():
    cases = []
    for labels, problem in [
        (1, None),
        (2, None),
        (5, None),
        (1, "regression"),
        (3, "regression"),
        (4, "multi_label_classification"),
        (6, "single_label_classification"),
    ]:
        names = {i: f"name {i}" for i in range(labels)}
        pipe = pipeline(TextClassificationPipeline, id2label=names, num_labels=labels, problem_type=problem)
        for top_k, function in [
            (1, None),
            (2, None),
            (None, None),
            (None, "none"),
            (None, "sigmoid"),
            (3, "softmax"),
        ]:
            row = logits(labels)
            chosen = ClassificationFunction[function.upper()] if function else None
            result = pipe.postprocess({"logits": row[None]}, function_to_apply=chosen, top_k=top_k, _legacy=False)
            cases.append(
                {
                    "labels": list(names.values()),
                    "problem_type": problem,
                    "function": function,
                    "top_k": top_k or 0,
                    "logits": flat(row),
                    "expected": rounded(result),
                }
            )
    return cases


class Letters:
    """A tokenizer whose token i is the letter i; 0 is padding, 1 the mask, 2 another special token."""

    mask_token_id, pad_token_id = 1, 0

    def decode(self, ids, skip_special_tokens=False):
        return "".join(
            "_#^"[id] if id < 3 else chr(ord("a") + id)
            for id in map(int, ids)
            if not (skip_special_tokens and id < 3)
        )


def fill_mask():
    cases = []
    pipe = pipeline(FillMaskPipeline, Letters())
    for masks, top_k, targets in [
        (1, 5, None),
        (1, 1, None),
        (2, 3, None),
        (3, 2, None),
        (1, 5, [7, 4, 9]),
        (2, 2, [5, 6, 12]),
        (1, 20, None),
    ]:
        ids = [2] + [draw.randrange(3, 20) for _ in range(5)] + [1] * masks + [draw.randrange(3, 20), 2, 0, 0]
        row = logits(1, len(ids), 20)
        result = pipe.postprocess(
            {"input_ids": torch.tensor([ids]), "logits": row},
            top_k=top_k,
            target_ids=None if targets is None else torch.tensor(targets).numpy(),
        )
        at_masks = torch.stack([row[0, i] for i, id in enumerate(ids) if id == 1])
        cases.append(
            {
                "ids": ids,
                "top_k": top_k,
                "targets": targets or [],
                "logits": flat(at_masks),
                "expected": rounded(result),
            }
        )
    return cases


TEXTS = [
    "Angela Merkel met Barack Obama in Berlin yesterday.",
    "Microsoft's Zürich office opened",
    "unknownword Paris and 東京 in one  text",
    "new york new york",
]


def all_words():
    return sorted(
        {word for text in TEXTS for word in text.replace("'", " ' ").replace(".", " . ").split()} - {"unknownword"}
    )


def wordpiece_tokenizer():
    pieces = ("[UNK] [CLS] [SEP] Mer ##kel Ob ##ama Ber ##lin yes ##ter ##day "
              "Micro ##soft Z ##ürich off ##ice new yo ##rk 東 ##京").split()
    in_pieces = "Merkel Obama Berlin yesterday Microsoft Zürich office york 東京 opened".split()
    pieces += [word for word in all_words() if word not in pieces and word not in in_pieces]
    base = tokenizers.Tokenizer(
        tokenizers.models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]")
    )
    base.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    base.decoder = tokenizers.decoders.WordPiece(cleanup=False)
    base.post_processor = tokenizers.processors.TemplateProcessing(
        "[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=base, unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )


def tokenizer_of(kind):
    if kind == "wordpiece":
        return wordpiece_tokenizer()
    base = tokenizers.Tokenizer(tokenizers.models.BPE())
    base.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    base.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=300,
        show_progress=False,
        special_tokens=["<s>"],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
    )
    base.train_from_iterator([text for text in TEXTS if text.isascii()] * 2, trainer)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=base, bos_token="<s>")


def token_classification():
    cases = []
    names = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "MISC-X", "ORG"]
    for kind in ("wordpiece", "bytelevel"):
        tokenizer = tokenizer_of(kind)
        pipe = pipeline(TokenClassificationPipeline, tokenizer, id2label=dict(enumerate(names)))
        for text in TEXTS if kind == "wordpiece" else [text for text in TEXTS if text.isascii()]:
            encoded = tokenizer(
                text, return_offsets_mapping=True, return_special_tokens_mask=True, return_tensors="pt"
            )
            in_bytes = [
                [len(text[:place].encode()) for place in span] for span in encoded["offset_mapping"][0].tolist()
            ]
            for strategy in AggregationStrategy:
                for ignored in (["O"], []):
                    row = logits(1, encoded["input_ids"].shape[1], len(names))
                    outputs = {
                        "logits": row,
                        "sentence": text,
                        "input_ids": encoded["input_ids"],
                        "offset_mapping": encoded["offset_mapping"],
                        "special_tokens_mask": encoded["special_tokens_mask"],
                    }
                    result = pipe.postprocess([outputs], aggregation_strategy=strategy, ignore_labels=ignored)
                    cases.append(
                        {
                            "tokenizer": kind,
                            "text": text,
                            "labels": names,
                            "strategy": strategy.value,
                            "ignored": ignored,
                            "tokens": tokenizer.convert_ids_to_tokens(encoded["input_ids"][0]),
                            "offsets": in_bytes,
                            "special": encoded["special_tokens_mask"][0].tolist(),
                            "unk": tokenizer.unk_token,
                            "logits": flat(row),
                            "expected": rounded(result),
                        }
                    )
    overlapping = [
        {
            "entity_group": "A",
            "score": draw.random(),
            "word": str(i),
            "start": start,
            "end": start + draw.randint(1, 6),
        }
        for i, start in enumerate(draw.sample(range(40), 20))
    ]
    merged = pipe.aggregate_overlapping_entities(overlapping)
    return cases, {"entities": rounded(overlapping), "expected": rounded(merged)}


def main():
    tokens, overlapping = token_classification()
    parts = {"text_classification": text_classification(), "fill_mask": fill_mask(), "token_classification": tokens}
    lines = [
        f'"transformers": "{transformers.__version__}"',
        '"overlapping": ' + json.dumps(overlapping, separators=(",", ":")),
    ]
    for name, cases in parts.items():
        lines.append(
            f'"{name}": [\n'
            + ",\n".join(json.dumps(c, ensure_ascii=False, separators=(",", ":")) for c in cases)
            + "]"
        )
    OUT.write_text("{" + ",\n".join(lines) + "}\n", encoding="utf-8")


main()
