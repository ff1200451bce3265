#!/usr/bin/env python3
"""Writes tests/golden/beam_search.json: what transformers' beam search returns for models that are a table.

The logits of a token are a hash of it and of the two ids before it, so that the test computes the same numbers. Every
case names its seed, scale and settings; the result has the ids behind the prompt, without padding, and the scores.

usage: tools/golden/beam_search.py     (needs `pip install transformers torch`)
"""

import json
import pathlib
import random

import torch
import transformers
from transformers.modeling_outputs import CausalLMOutput

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "beam_search.json"
MASK = 0xFFFFFFFF


def logit(seed, before, last, token, scale):
    h = (before * 73856093 ^ last * 19349663 ^ token * 83492791 ^ seed * 2654435761) & MASK
    for _ in range(2):
        h = ((h ^ h >> 16) * 0x45D9F3B) & MASK
    return (h >> 8) / 2**24 * scale


class TableConfig(transformers.PreTrainedConfig):
    model_type = "table"

    def __init__(self, vocab_size=8, seed=0, scale=1.0, favoured=(), favour=0.0, **kwargs):
        super().__init__(**kwargs)
        self.vocab_size, self.seed, self.scale, self.favoured, self.favour = vocab_size, seed, scale, favoured, favour
        self.num_hidden_layers = self.hidden_size = self.num_attention_heads = 1


class Table(transformers.PreTrainedModel, transformers.GenerationMixin):
    config_class = TableConfig
    main_input_name = "input_ids"

    def __init__(self, config):
        super().__init__(config)
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.post_init()

    def _init_weights(self, module):
        pass

    def prepare_inputs_for_generation(self, input_ids, **kwargs):
        return {"input_ids": input_ids}

    def forward(self, input_ids, **kwargs):
        config = self.config
        rows = []
        for ids in input_ids.tolist():
            before = ids[-2] if len(ids) > 1 else 0
            rows.append(
                [
                    logit(config.seed, before, ids[-1], token, config.scale)
                    + (config.favour if token in config.favoured else 0)
                    for token in range(config.vocab_size)
                ]
            )
        return CausalLMOutput(logits=torch.tensor(rows)[:, None, :])


def run(case):
    config = TableConfig(
        vocab_size=case["vocab"],
        seed=case["seed"],
        scale=case["scale"],
        favoured=case["eos"],
        favour=case["eos_favour"],
    )
    result = Table(config).generate(
        torch.tensor([case["prompt"]]),
        num_beams=case["num_beams"],
        length_penalty=case["length_penalty"],
        early_stopping=case["early_stopping"],
        num_return_sequences=case["num_return_sequences"],
        max_new_tokens=case["max_new_tokens"],
        eos_token_id=case["eos"] or None,
        pad_token_id=case["vocab"] + 1,
        do_sample=False,
        use_cache=False,
        return_dict_in_generate=True,
        output_scores=True,
    )
    answers = []
    for row, score, beams in zip(
        result.sequences.tolist(), result.sequences_scores.tolist(), result.beam_indices.tolist()
    ):
        length = sum(beam >= 0 for beam in beams)
        answers.append({"ids": row[len(case["prompt"]) :][:length], "score": float(f"{score:.8g}")})
    return answers


def main():
    draw = random.Random(17)
    cases = []
    for index in range(240):
        vocab, beams = draw.choice([11, 24, 50]), draw.choice([2, 2, 3, 4, 5])
        eos = draw.sample(range(vocab), draw.choice([0, 1, 1, 1, 2]))
        case = {
            "seed": index + 1,
            "vocab": vocab,
            "scale": draw.choice([1.0, 3.0, 6.0]),
            "eos": eos,
            "eos_favour": draw.choice([0.0, 1.5, 3.0]),
            "prompt": [draw.randrange(vocab) for _ in range(draw.choice([1, 2, 3]))],
            "num_beams": beams,
            "length_penalty": draw.choice([-1.0, 0.0, 0.6, 1.0, 1.0, 2.0]),
            "early_stopping": draw.choice([False, True, "never"]),
            "num_return_sequences": draw.randint(1, beams),
            "max_new_tokens": draw.choice([1, 2, 5, 9, 14]),
        }
        cases.append({**case, "answers": run(case)})
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    OUT.write_text('{"transformers": "' + transformers.__version__ + '", "cases": [\n' + lines + "\n]}\n")


main()
