#!/usr/bin/env python3
"""Writes tests/golden/question_answering.json: windows and answers of transformers 4's question-answering pipeline.

Version 5 has that pipeline no more. A WordPiece tokenizer over few words cuts long contexts into windows with a
stride; span logits are random.

usage: tools/golden/question_answering.py     (needs `pip install "transformers<5" torch`)
"""

import json
import pathlib
import random

import tokenizers
import torch
import transformers
from transformers.pipelines.question_answering import QuestionAnsweringPipeline

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "question_answering.json"
WORDS = [
    "the",
    "river",
    "Ärmel",
    "runs",
    "north",
    "of",
    "Berlin",
    "and",
    "then",
    "東京",
    "was",
    "built",
    "in",
    "Who",
    "Where",
    "?",
    ".",
    "by",
    "king",
    "a",
    "b",
]
PIECES = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "ri",
    "##ver",
    "Är",
    "##mel",
    "ru",
    "##ns",
    "nor",
    "##th",
    "Ber",
    "##lin",
    "bu",
    "##il",
    "##t",
    "東",
    "京",
    "ki",
    "##n",
    "##g",
]
draw = random.Random(53)


def make_tokenizer(roberta):
    split = {"river", "Ärmel", "runs", "north", "Berlin", "built", "東京", "king"}
    pieces = PIECES + [word for word in WORDS if word not in split]
    base = tokenizers.Tokenizer(
        tokenizers.models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]")
    )
    base.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    pair = "[CLS]:0 $A:0 [SEP]:0 [SEP]:0 $B:0 [SEP]:0" if roberta else "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1"
    base.post_processor = tokenizers.processors.TemplateProcessing(
        "[CLS] $A [SEP]", pair, [("[CLS]", 2), ("[SEP]", 3)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=base, unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]"
    )


def rounded(answers):
    answers = answers if isinstance(answers, list) else [answers]
    return [{**answer, "score": float(f"{answer['score']:.8g}")} for answer in answers]


def make_case(index):
    roberta = index % 3 == 0
    tokenizer = make_tokenizer(roberta)
    pipe = object.__new__(QuestionAnsweringPipeline)
    pipe.tokenizer, pipe.framework = tokenizer, "pt"
    question = " ".join(draw.choices(WORDS, k=4)) + "?"
    context = " ".join(draw.choices(WORDS, k=draw.choice([3, 12, 40])))
    length, stride = draw.choice([(24, 5), (40, 10), (384, 128)])
    settings = {
        "top_k": draw.choice([1, 1, 3]),
        "handle_impossible_answer": draw.random() < 0.4,
        "max_answer_len": draw.choice([2, 5, 15]),
        "align_to_words": draw.random() < 0.6,
    }
    outputs, windows = [], []
    for feature in pipe.preprocess({"question": question, "context": context}, max_seq_len=length, doc_stride=stride):
        count = feature["input_ids"].shape[1]
        start, end = (torch.tensor([[float(f"{draw.gauss(0, 4):.3f}") for _ in range(count)]]) for _ in range(2))
        outputs.append({**feature, "start": start, "end": end})
        types = (
            [0] * count if roberta else feature["token_type_ids"][0].tolist()
        )  # the library leaves a 1 in later windows
        windows.append(
            {
                "ids": feature["input_ids"][0].tolist(),
                "type_ids": types,
                "start": [float(f"{x:.3f}") for x in start[0].tolist()],
                "end": [float(f"{x:.3f}") for x in end[0].tolist()],
            }
        )
    answers = pipe.postprocess(outputs, **settings)
    encoded = tokenizer(context, add_special_tokens=False, return_offsets_mapping=True)
    words = encoded.word_ids()
    tokens = [
        [len(context[:a].encode()), len(context[:b].encode()), word]
        for (a, b), word in zip(encoded["offset_mapping"], words)
    ]
    return {
        "roberta": roberta,
        "context": context,
        "question_ids": tokenizer(question, add_special_tokens=False)["input_ids"],
        "context_ids": encoded["input_ids"],
        "tokens": tokens,
        "max_length": length,
        "stride": stride,
        **settings,
        "windows": windows,
        "answers": rounded(answers),
    }


cases = [make_case(index) for index in range(40)]
lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases)
OUT.write_text(
    '{"transformers": "' + transformers.__version__ + '", "cases": [\n' + lines + "\n]}\n", encoding="utf-8"
)
