#!/usr/bin/env python3
"""Writes tests/golden/models/* and tests/golden/llama_logits.json: what transformers computes from tiny checkpoints.

One random checkpoint for each shape of the llama policy, and for one sequence its logits, next-token loss, gradients
(norm and some entries of each parameter) and greedy continuation, all in float32; and the logits when every linear
layer rounds its weights and inputs to bfloat16 and sums in float32.

usage: tools/golden/llama_checkpoints.py     (needs `pip install transformers torch`)
"""
import copy
import json
import pathlib

import torch
import transformers

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
VOCABULARY, LENGTH, PROMPT, NEW = 48, 20, 5, 16
SHARED = {"vocab_size": VOCABULARY, "num_hidden_layers": 2, "max_position_embeddings": 64, "bos_token_id": 1,
          "eos_token_id": 2, "pad_token_id": 0, "attn_implementation": "eager"}
MODELS = {
    "llama": transformers.LlamaConfig(
        hidden_size=16, intermediate_size=24, num_attention_heads=4, num_key_value_heads=2, attention_bias=True,
        tie_word_embeddings=False, rms_norm_eps=1e-5, **SHARED),
    "mistral": transformers.MistralConfig(
        hidden_size=24, intermediate_size=40, num_attention_heads=6, num_key_value_heads=2, head_dim=4,
        sliding_window=6, tie_word_embeddings=False, rms_norm_eps=1e-5, **SHARED),
    "qwen2": transformers.Qwen2Config(
        hidden_size=32, intermediate_size=48, num_attention_heads=4, num_key_value_heads=1, tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6}, **SHARED),
    "qwen3": transformers.Qwen3Config(
        hidden_size=16, intermediate_size=32, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
        tie_word_embeddings=True, use_sliding_window=True, sliding_window=9, max_window_layers=0, **SHARED),
}


def numbers(tensor):
    return [float(f"{value:.8g}") for value in tensor.detach().flatten().tolist()]


def redraw(model, generator):
    """Weights large enough that every term of the forward pass shows in the logits."""
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            noise = torch.randn(weight.shape, generator=generator)
            weight.copy_(1 + 0.2 * noise if "norm" in name else 0.3 * noise)


def greedy(model, ids):
    ids = list(ids)
    with torch.no_grad():
        for _ in range(NEW):
            best = model(torch.tensor([ids])).logits[0, -1].topk(2)
            assert best.values[0] - best.values[1] > 1e-3, "a tie: take another seed"
            ids.append(int(best.indices[0]))
    return ids


def entries(gradient):
    """The norm, the largest entries and some others, as [index, value] of the flattened gradient."""
    flat = gradient.flatten()
    largest = flat.abs().topk(min(3, flat.numel())).indices.tolist()
    others = range(0, flat.numel(), max(1, flat.numel() // 4))
    index = sorted({*largest, *others})
    return {"norm": numbers(gradient.norm())[0], "entries": [[i, numbers(flat[i])[0]] for i in index]}


def rounded(tensor):
    return tensor.detach().to(torch.bfloat16).to(torch.float32)


def bfloat16_logits(model, ids):
    model = copy.deepcopy(model)
    if model.config.tie_word_embeddings:  # only the LM head rounds: an embedding is looked up, not multiplied
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    for module in model.modules():
        if isinstance(module, torch.nn.Linear):
            module.weight = torch.nn.Parameter(rounded(module.weight))
            module.register_forward_pre_hook(lambda _, inputs: (rounded(inputs[0]),))
    with torch.no_grad():
        return model(ids.unsqueeze(0)).logits[0]


def case(name, config, seed):
    generator = torch.Generator().manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_config(config).to(torch.float32).eval()
    redraw(model, generator)
    folder = GOLDEN / "models" / name
    model.save_pretrained(folder)
    for path in folder.iterdir():
        if path.name not in ("config.json", "model.safetensors"):
            path.unlink()
    ids = torch.randint(3, VOCABULARY, (LENGTH,), generator=generator)
    logits = model(ids.unsqueeze(0)).logits[0]
    loss = torch.nn.functional.cross_entropy(logits[:-1], ids[1:])
    loss.backward()
    gradients = {key: entries(weight.grad) for key, weight in model.named_parameters()}
    rows = [0, 1, LENGTH // 2, LENGTH - 1]
    return {"ids": ids.tolist(), "rows": rows, "logits": [numbers(row) for row in logits[rows]],
            "bfloat16_logits": [numbers(row) for row in bfloat16_logits(model, ids)[rows]], "loss": numbers(loss)[0],
            "gradients": gradients, "greedy_ids": greedy(model, ids[:PROMPT].tolist()), "prompt": PROMPT}


def main():
    cases = {name: case(name, config, 11 + i) for i, (name, config) in enumerate(MODELS.items())}
    document = {"made_by": "tools/golden/llama_checkpoints.py", "transformers": transformers.__version__,
                "torch": torch.__version__, "models": cases}
    (GOLDEN / "llama_logits.json").write_text(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
