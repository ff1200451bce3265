#!/usr/bin/env python3
"""Repeats a finished run of one stage, pretrain or sft, in PyTorch, and compares the held-out losses.

The loop begins with the run's first checkpoint and goes by its config.yaml: the same rows in the same order, the same batches,
schedule, groups of weight decay and clipping, over transformers' model in float32. Made for configs/recipes/tinyshakespeare.yaml
(texts end to end) and multi30k.yaml (pairs of lines for an encoder-decoder); dropout is off in both. Prints losses at the
run's evaluations and, with --output, leaves the model where `hone eval RUN --against OUTPUT` can judge both.

usage: tools/parity_run.py RUN [--output DIRECTORY] [--tolerance SHARE]     (in the folder where hone ran)
needs: pip install torch transformers pyyaml
"""
import argparse
import gzip
import json
import math
import pathlib
import sys
import time

import torch
import transformers
import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "golden"))
from trl_letters import shuffled, stream_key


def lines_of(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8", newline="\n") as file:
        return [line for line in file.read().split("\n") if line.strip()]


def blocks_of(path, tokenizer, context):
    """Texts end to end, cut so that each block begins with the last token of the one before it."""
    ids = []
    for line in lines_of(path):
        ids += tokenizer(json.loads(line)["text"], add_special_tokens=False)["input_ids"] + [tokenizer.eos_token_id]
    return [{"labels": ids[i:i + context]} for i in range(0, len(ids) - 1, context - 1)]


def pairs_of(path, target_path, tokenizer):
    encode = lambda text: tokenizer(text, add_special_tokens=False)["input_ids"]
    return [{"input_ids": encode(source), "labels": encode(target) + [tokenizer.eos_token_id]}
            for source, target in zip(lines_of(path), lines_of(target_path), strict=True)]


def batch_of(rows):
    """What the model takes, padded; the labels' padding is not learned."""
    pad = lambda name, value: torch.nn.utils.rnn.pad_sequence(
        [torch.tensor(row[name]) for row in rows], batch_first=True, padding_value=value)
    if "input_ids" not in rows[0]:
        return {"input_ids": pad("labels", 0), "labels": pad("labels", -100)}
    ids = pad("input_ids", 0)
    lengths = torch.tensor([len(row["input_ids"]) for row in rows])
    return {"input_ids": ids, "attention_mask": (torch.arange(ids.shape[1]) < lengths[:, None]).long(),
            "labels": pad("labels", -100)}


def learned_tokens(rows):
    return sum(len(row["labels"]) - ("input_ids" not in row) for row in rows)


@torch.no_grad()
def held_out_loss(model, rows):
    total = 0.0
    for i in range(0, len(rows), 64):
        total += model(**batch_of(rows[i:i + 64])).loss.item() * learned_tokens(rows[i:i + 64])
    return total / learned_tokens(rows)


def rate(optimizer, step, total):
    """src/optim/schedule.cpp, of the schedules that the recipes use."""
    warmup = optimizer["warmup_steps"]
    if step < warmup:
        return step / warmup
    progress = min(1.0, (step - warmup) / max(1, total - warmup))
    left = {"linear": 1 - progress, "cosine": 0.5 * (1 + math.cos(math.pi * progress)), "constant": 1.0}
    floor = float(optimizer["floor"]) if optimizer["schedule"] != "constant" else 0.0
    return floor + (1 - floor) * left[optimizer["schedule"]]


def load_rows(config, stage, tokenizer):
    data = config["data"][stage["data"]]
    if stage["kind"] == "sft":
        return (pairs_of(data["path"], data["target_path"], tokenizer),
                pairs_of(data["held_out_path"], data["held_out_target_path"], tokenizer)[:stage["evaluation"]["prompts"]])
    context = config["model"]["architecture"]["context"]
    return (blocks_of(data["path"], tokenizer, context),
            blocks_of(data["held_out_path"], tokenizer, context)[:stage["evaluation"]["rows"]])


def train(model, rows, stage, seed, total, evaluate):
    number = lambda name: float(stage["optimizer"][name])  # PyYAML reads 1e-08 as text
    matrices = [p for p in model.parameters() if p.dim() > 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": number("weight_decay")},
         {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0}],
        lr=number("learning_rate"), betas=(number("beta1"), number("beta2")), eps=number("eps"))
    key, order, epoch = stream_key(seed, "rows/" + stage["name"]), [], 0
    for step in range(total):
        while len(order) < stage["batch_size"]:
            order += shuffled(len(rows), key, epoch, 0)
            epoch += 1
        chosen, order = order[:stage["batch_size"]], order[stage["batch_size"]:]
        loss = model(**batch_of([rows[i] for i in chosen])).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), number("max_grad_norm"))
        for group in optimizer.param_groups:
            group["lr"] = number("learning_rate") * rate(stage["optimizer"], step, total)
        optimizer.step()
        evaluate(step + 1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--output", type=pathlib.Path)
    parser.add_argument("--tolerance", type=float, default=0.01, help="largest share by which the last losses may differ")
    options = parser.parse_args()
    config = yaml.safe_load((options.run / "config.yaml").read_text())
    [stage] = config["stages"]
    metrics = [json.loads(line) for line in (options.run / "metrics.jsonl").read_text().splitlines()]
    ours = {row["step"]: row["eval/loss"] for row in metrics if "eval/loss" in row}
    start = options.run / "checkpoints" / "initial" / "final"
    tokenizer = transformers.AutoTokenizer.from_pretrained(start)
    model = transformers.AutoConfig.from_pretrained(start)
    kind = transformers.AutoModelForSeq2SeqLM if model.is_encoder_decoder else transformers.AutoModelForCausalLM
    model = kind.from_pretrained(start, dtype=torch.float32).eval()  # no dropout
    rows, held_out = load_rows(config, stage, tokenizer)
    theirs, began = {}, time.process_time()

    def evaluate(step):
        if step in ours:
            theirs[step] = held_out_loss(model, held_out)
            print(f"step {step}: hone {ours[step]:.5f}, transformers {theirs[step]:.5f}", flush=True)

    evaluate(0)
    train(model, rows, stage, config["run"]["seed"], max(ours), evaluate)
    print(f"{time.process_time() - began:.0f} s of processor time")
    if options.output:
        model.save_pretrained(options.output)
        tokenizer.save_pretrained(options.output)
    apart = abs(ours[max(ours)] / theirs[max(ours)] - 1)
    print(f"the last losses differ by {100 * apart:.2f} %")
    sys.exit(apart > options.tolerance)


main()
