#!/usr/bin/env python3
"""Writes tests/golden/stories_sft.json: 20 steps of fine-tuning the trained story model of the shared data by a plain loop
over transformers and PEFT: all tokens learned, completions alone, and completions with LoRA on two or on all matrices.

AdamW with transformers' defaults and no decay, gradients clipped to norm 1, float32. The rows are ids of a few sentences
in the model's own vocabulary, in the order of hone's stream. tests/stages/stories_sft_test.cpp takes the same steps.

usage: HONE_TEST_DATA=FOLDER tools/golden/stories_sft.py
needs: pip install torch transformers peft
"""
import json
import math
import os
import pathlib

import peft
import torch
import transformers
from trl_letters import numbers, shuffled, stream_key

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "stories_sft.json"
STORIES = pathlib.Path(os.environ["HONE_TEST_DATA"]) / "models" / "stories260K"
SEED, STEPS, BATCH, BOS, EOS = 7, 20, 4, 1, 2
LEARNING_RATE = {"everything": 3e-4, "completions": 3e-4, "lora": 3e-3, "lora_everywhere": 1e-3}
RANK, ALPHA = 4, 8
TARGETS = {"lora": ["q_proj", "v_proj"],
           "lora_everywhere": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]}
STORY_PAIRS = [
    ("Once upon a time, there was a robot named Bip.", "Bip liked to paint the sky green."),
    ("The cat sat on the mat.", "It dreamed of a very big fish."),
    ("Lily found a red box in the park.", "Inside was a tiny dragon with no wings."),
    ("Tom was sad because it rained.", "Then his mom gave him yellow boots, and he jumped in every puddle."),
    ("One day, a bird lost its song.", "The wind gave it a new one."),
    ("Ben had a toy car.", "It could only drive backwards!"),
    ("The old tree was tired.", "All the children came and told it stories until it slept."),
    ("Mia wanted to touch the moon.", "She climbed the hill with a long ladder, but the moon only laughed."),
]


def encode(text):
    """llama2.c's encoding: a space in front, bytes where a character is no piece, the best pair joined first."""
    pieces = json.load(open(STORIES / "tok512_vocab.json"))
    ids = {bytes.fromhex(piece["bytes_hex"]): piece["id"] for piece in reversed(pieces)}
    known = {piece["id"]: bytes.fromhex(piece["bytes_hex"]) for piece in pieces}
    tokens = []
    for character in " " + text:
        raw = character.encode()
        tokens += [ids[raw]] if raw in ids else [byte + 3 for byte in raw]
    while True:
        joins = [(pieces[ids[both]]["score"], -i) for i, both in
                 enumerate(known[a] + known[b] for a, b in zip(tokens, tokens[1:])) if both in ids]
        if not joins:
            return tokens
        at = -max(joins)[1]
        tokens[at:at + 2] = [ids[known[tokens[at]] + known[tokens[at + 1]]]]


def batches(rows):
    key = stream_key(SEED, "rows/sft")
    order = [i for epoch in range(STEPS * BATCH // len(rows)) for i in shuffled(len(rows), key, epoch, 0)]
    for step in range(STEPS):
        yield [rows[i] for i in order[step * BATCH:][:BATCH]]


def adapted(model, targets):
    model = peft.get_peft_model(model, peft.LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=targets,
                                                       task_type="CAUSAL_LM"))
    matrices = sorted((name, weight) for name, weight in model.named_parameters() if "lora_A" in name)
    for k, (_, weight) in enumerate(matrices):
        values = [0.2 * math.sin(0.37 * i + k) for i in range(weight.numel())]
        weight.data = torch.tensor(values, dtype=torch.float64).float().reshape(weight.shape)
    return model


def run(name, rows):
    model = transformers.AutoModelForCausalLM.from_pretrained(STORIES / "hf", dtype=torch.float32,
                                                              attn_implementation="eager")
    if name in TARGETS:
        model = adapted(model, TARGETS[name])
    learned = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=LEARNING_RATE[name], betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)
    steps = {"loss": [], "grad_norm": []}
    for batch in batches(rows):
        ids = [row["prompt"] + row["completion"] for row in batch]
        width = max(map(len, ids))
        input_ids = torch.tensor([row + [0] * (width - len(row)) for row in ids])
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in ids])
        labels = input_ids.masked_fill(mask == 0, -100)
        if name != "everything":
            for i, row in enumerate(batch):
                labels[i, :len(row["prompt"])] = -100
        loss = model(input_ids=input_ids, attention_mask=mask, labels=labels).loss
        loss.backward()
        steps["grad_norm"].append(float(torch.nn.utils.clip_grad_norm_(learned, 1.0)))
        steps["loss"].append(loss.item())
        optimizer.step()
        optimizer.zero_grad()
    print(name, steps["loss"][0], steps["loss"][-1], steps["grad_norm"][0])
    return {"learning_rate": LEARNING_RATE[name], **{figure: numbers(values) for figure, values in steps.items()}}


def main():
    torch.set_num_threads(1)
    rows = [{"prompt": [BOS] + encode(prompt), "completion": encode(completion) + [EOS]}
            for prompt, completion in STORY_PAIRS]
    document = {"made_by": "tools/golden/stories_sft.py", "transformers": transformers.__version__,
                "peft": peft.__version__, "torch": torch.__version__, "seed": SEED, "steps": STEPS, "batch": BATCH,
                "rank": RANK, "alpha": ALPHA, "targets": TARGETS, "rows": rows,
                "runs": {name: run(name, rows) for name in LEARNING_RATE}}
    OUT.write_text(json.dumps(document, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
