#!/usr/bin/env python3
"""Work of transformers and torch that hone is compared with: one JSON line.

usage: transformers_peer.py shared_prompts MODEL --lengths FILE [--dtype float32|bfloat16] [--batch 128]
       transformers_peer.py padded_training MODEL --lengths FILE [--dtype float32|bfloat16] [--rows 32] [--steps 6]
       transformers_peer.py scoring MODEL [--dtype float32|bfloat16]
       transformers_peer.py optimizer MODEL [--whole]
       transformers_peer.py sampling

shared_prompts    8 prompts of 512 random tokens, as many completions of each as FILE (a JSON list) has lengths for; a batch
                  goes on to its longest, and only the lengths of FILE count
padded_training   steps over rows of FILE's lengths, so many at a time, padded to the longest; only real tokens count
scoring           log-probabilities of 8 × 256 tokens: forward, log_softmax, gather; and the memory that this adds
optimizer         torch.optim.AdamW(fused=True) on as many values as the model has; --whole: clip_grad_norm_ before it and
                  the casts behind it that autocast makes for the next step
sampling          top-p 0.9 of 32 rows of 151,936 logits by transformers' processors, with log-probabilities
bfloat16 in training: float32 weights under autocast, as the shared scripts have it.
"""
import argparse
import contextlib
import json
import statistics
import time

import torch
from transformers import AutoModelForCausalLM, LogitsProcessorList, TopPLogitsWarper


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=sorted(WORK))
    parser.add_argument("model", nargs="?")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--lengths")
    parser.add_argument("--whole", action="store_true")
    for name, default in (("batch", 128), ("rows", 32), ("steps", 6), ("repeat", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args()


def load(arguments, dtype):
    return AutoModelForCausalLM.from_pretrained(arguments.model, dtype=dtype)


def random_ids(model, rows, length):
    return torch.randint(2, min(4096, model.config.vocab_size), (rows, length))


def read_lengths(arguments):
    with open(arguments.lengths) as file:
        return json.load(file)


def seconds_of(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def shared_prompts(arguments):
    model = load(arguments, getattr(torch, arguments.dtype)).eval()
    lengths = read_lengths(arguments)
    prompts = random_ids(model, 8, 512).repeat_interleave(len(lengths) // 8, dim=0)

    def generate(ids, new):
        model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=new, min_new_tokens=new, do_sample=True,
                       temperature=1.0, top_p=1.0, top_k=0, pad_token_id=0, eos_token_id=None)

    def all_batches():
        for first in range(0, len(lengths), arguments.batch):
            generate(prompts[first:first + arguments.batch], max(lengths[first:first + arguments.batch]))

    with torch.inference_mode():
        generate(prompts[:2], 2)  # warms up
        seconds = seconds_of(all_batches)
    return {"tokens_per_s": sum(lengths) / seconds}


def padded_batch(model, lengths):
    ids = random_ids(model, len(lengths), max(lengths))
    mask = (torch.arange(max(lengths))[None, :] < torch.tensor(lengths)[:, None]).long()
    return {"input_ids": ids, "attention_mask": mask, "labels": torch.where(mask == 1, ids, -100)}


def padded_training(arguments):
    rows, warm = arguments.rows, 2
    model = load(arguments, torch.float32).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    bfloat16 = arguments.dtype == "bfloat16"
    cast = torch.autocast("cpu", dtype=torch.bfloat16) if bfloat16 else contextlib.nullcontext()
    lengths = read_lengths(arguments)

    def step(number):
        first = number * rows % len(lengths)
        with cast:
            loss = model(**padded_batch(model, lengths[first:first + rows])).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return sum(lengths[first:first + rows])

    tokens, seconds = 0, 0.0
    for number in range(arguments.steps + warm):
        start = time.perf_counter()
        done = step(number)
        if number >= warm:
            tokens, seconds = tokens + done, seconds + time.perf_counter() - start
    return {"tokens_per_s": tokens / seconds}


def memory_mib(field):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field)) / 1024


def scoring(arguments):
    model = load(arguments, getattr(torch, arguments.dtype)).eval()
    ids = random_ids(model, 8, 256)

    def score():
        with torch.inference_mode():
            logits = model(input_ids=ids).logits[:, :-1]
            return logits.log_softmax(-1).gather(-1, ids[:, 1:, None]).squeeze(-1)

    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # VmHWM begins anew
    before = memory_mib("VmRSS")
    score()
    added = memory_mib("VmHWM") - before
    seconds = statistics.median(seconds_of(score) for _ in range(arguments.repeat))
    return {"tokens_per_s": ids.numel() / seconds, "added_mib": added}


def optimizer(arguments):
    model = load(arguments, torch.float32)
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter) * 1e-3
    update = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)

    def whole():
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        update.step()
        return [parameter.to(torch.bfloat16) for parameter in model.parameters() if parameter.dim() == 2]

    step = whole if arguments.whole else update.step
    step()  # makes the moments
    values = sum(parameter.numel() for parameter in model.parameters())
    return {"values_per_s": values / statistics.median(seconds_of(step) for _ in range(arguments.repeat))}


def sampling(arguments):
    logits = torch.randn(32, 151_936) * 3
    processors = LogitsProcessorList([TopPLogitsWarper(0.9)])

    def draw():
        probabilities = processors(None, logits).softmax(-1)
        ids = torch.multinomial(probabilities, 1)
        return ids, logits.log_softmax(-1).gather(-1, ids)

    draw()
    return {"tokens_per_s": len(logits) / statistics.median(seconds_of(draw) for _ in range(2 * arguments.repeat))}


WORK = {work.__name__: work for work in (shared_prompts, padded_training, scoring, optimizer, sampling)}


def main():
    arguments = parse()
    torch.manual_seed(0)
    print(json.dumps({"peer": arguments.work, **vars(arguments), **WORK[arguments.work](arguments)}))


if __name__ == "__main__":
    main()
