#!/usr/bin/env python3
"""Whether transformers reads models that hone wrote, and computes what hone computed from them.

usage: load_checkpoint.py (MODEL_DIRECTORY GENERATED)...    GENERATED: what `hone generate --json --temperature 0` printed

transformers must find every tensor and no other, continue each prompt with the same tokens, and give the completion the
same log-probability.
"""
import json
import math
import sys

import torch
import transformers


def continuation(model, tokenizer, prompt, count):
    """`count` greedy tokens after the prompt, or fewer when the end of sequence is one, and their log-probability."""
    ids = tokenizer(prompt)["input_ids"]
    new, logprob = [], 0.0
    while len(new) < count and (not new or new[-1] != tokenizer.eos_token_id):
        with torch.no_grad():
            logprobs = model(torch.tensor([ids + new])).logits[0, -1].log_softmax(-1)
        new.append(int(logprobs.argmax()))
        logprob += float(logprobs[new[-1]])
    return new, logprob


def check(directory, generated):
    """Prints a line and the problems; returns how many there are."""
    model, loading = transformers.AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32,
                                                                       output_loading_info=True)
    problems = [f"{what}: {sorted(names)}" for what, names in loading.items() if names]
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    lines = [json.loads(line) for line in open(generated, encoding="utf-8")]
    if not lines:
        problems.append("hone printed nothing")
    for line in lines:
        ids, logprob = continuation(model.eval(), tokenizer, line["prompt"], line["tokens"])
        text = tokenizer.decode(ids, skip_special_tokens=True)
        if text != line["completion"] or len(ids) != line["tokens"]:
            problems.append(f"prompt {line['prompt']!r}: hone {line['completion']!r}, transformers {text!r}")
        elif not math.isclose(logprob, line["logprob"], rel_tol=1e-4, abs_tol=1e-4):
            problems.append(f"prompt {line['prompt']!r}: log-probability {line['logprob']}, transformers {logprob}")
    print(f"{directory}: {type(model).__name__}, {len(lines)} prompts, {len(problems)} problems")
    for problem in problems:
        print(f"  {problem}")
    return len(problems)


def main():
    arguments = sys.argv[1:]
    found = [check(directory, generated) for directory, generated in zip(arguments[::2], arguments[1::2])]
    return 1 if not found or any(found) else 0


if __name__ == "__main__":
    sys.exit(main())
