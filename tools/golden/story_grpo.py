#!/usr/bin/env python3
"""Writes tests/golden/story_grpo.json: a trained story model under GRPO and relatives, in a plain transformers loop.

What the model writes after some letters (ids below 256, read as bytes on the other side) are the samples, learned from in 20 steps of AdamW; their log-probabilities stay those of the
model that wrote them, so the ratio leaves 1. Float32; the reference is the model as it was.
tests/stages/story_grpo_test.cpp takes the same steps.

usage: HONE_TEST_DATA=FOLDER tools/golden/story_grpo.py
needs: pip install torch transformers
"""
import copy
import json
import os
import pathlib

import torch
import transformers

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
MODEL = pathlib.Path(os.environ["HONE_TEST_DATA"]) / "models" / "stories260K" / "hf"
PROMPTS = ["once upon", "tom", "the little", "a day"]
SAMPLES, STEPS, LEARNING_RATE, BETA = 4, 20, 3e-5, 0.1


def logprobs(model, episode):
    ids = torch.tensor([episode["prompt_ids"] + episode["ids"]])
    logits = model(ids).logits[0, len(episode["prompt_ids"]) - 1:-1]
    return logits.log_softmax(-1).gather(1, ids[0, len(episode["prompt_ids"]):, None]).squeeze(1)


def draw_samples(model):
    generator = torch.Generator().manual_seed(5)
    episodes = []
    for group, prompt in enumerate(PROMPTS):
        prompt_ids = list(prompt.encode())
        for sample in range(SAMPLES):
            ids = []
            for _ in range(8 + 3 * sample + 2 * group):
                with torch.no_grad():
                    logits = model(torch.tensor([prompt_ids + ids])).logits[0, -1]
                logits[:3] = logits[256:] = -torch.inf
                ids.append(int(torch.multinomial(logits.softmax(-1), 1, generator=generator)))
            score = round(float(torch.rand((), generator=generator)), 3)
            episodes.append({"prompt": prompt, "prompt_ids": prompt_ids, "ids": ids, "score": score})
    with torch.no_grad():
        for episode in episodes:
            episode["logprobs"] = [float(value) for value in logprobs(model, episode)]
    return episodes


def advantages(name, episodes, kl):
    """One tensor an episode. kl: k1 of each token, charged where the divergence is part of the reward."""
    scores = torch.tensor([episode["score"] for episode in episodes]).view(-1, SAMPLES)
    if name == "rloo":
        sums = torch.stack([score - BETA * k.sum() for score, k in zip(scores.flatten(), kl)]).view(-1, SAMPLES)
        return ((sums - (sums.sum(1, keepdim=True) - sums) / (SAMPLES - 1))).flatten()
    if name == "reinforce_plus_plus":
        to_come = [score - BETA * k.flip(0).cumsum(0).flip(0) for score, k in zip(scores.flatten(), kl)]
        every = torch.cat(to_come).double()
        return [((a - every.mean()) / (every.var() + 1e-8).sqrt()).float() for a in to_come]
    return ((scores - scores.mean(1, keepdim=True)) / (scores.std(1, keepdim=True) + 1e-6)).flatten()


def loss_of(name, model, episodes, reference):
    old = [torch.tensor(episode["logprobs"]) for episode in episodes]
    credit = advantages(name, episodes, [o - r for o, r in zip(old, reference)])
    tokens, losses = 0, []
    for episode, before, first, a in zip(episodes, old, reference, credit):
        now = logprobs(model, episode)
        d = now - before
        if name == "gspo":
            d = d.mean().expand_as(d)
        ratio = d.exp()
        low, high = (3e-3, 4e-3) if name == "gspo" else (0.1, 0.15)
        loss = torch.maximum(-a * ratio, -a * ratio.clamp(1 - low, 1 + high))
        if name == "cispo":
            loss = -a * ratio.clamp(max=1 + high).detach() * now
        if name == "grpo":
            loss = loss + BETA * (torch.exp(first - now) - (first - now) - 1)
        losses.append(loss.mean() / len(episodes) if name == "gspo" else loss.sum())
        tokens += len(now)
    total = torch.stack(losses).sum()
    return total if name == "gspo" else total / tokens


def main():
    torch.set_num_threads(1)
    first = transformers.LlamaForCausalLM.from_pretrained(MODEL, dtype=torch.float32).eval()
    episodes = draw_samples(first)
    with torch.no_grad():
        reference = [logprobs(first, episode) for episode in episodes]
    curves = {}
    for name in ("grpo", "rloo", "reinforce_plus_plus", "gspo", "cispo"):
        model = copy.deepcopy(first)
        optimizer = torch.optim.AdamW(model.parameters(), LEARNING_RATE, eps=1e-8, weight_decay=0.0)
        losses, norms = [], []
        for _ in range(STEPS):
            loss = loss_of(name, model, episodes, reference)
            optimizer.zero_grad()
            loss.backward()
            norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
            optimizer.step()
            losses.append(loss.item())
        curves[name] = {"loss": losses, "grad_norm": norms}
        print(name, losses[0], losses[-1], norms[0])
    document = {"made_by": "tools/golden/story_grpo.py", "transformers": transformers.__version__,
                "torch": torch.__version__, "samples": SAMPLES, "steps": STEPS, "learning_rate": LEARNING_RATE,
                "kl": BETA, "episodes": episodes, "curves": curves}
    (GOLDEN / "story_grpo.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
