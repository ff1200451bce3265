#!/usr/bin/env python3
"""Writes tests/golden/rope.json: the rotary frequencies and attention factors that transformers derives from configs.

Each case holds what config.json says of the rotary embedding, what the family adds to it, and for some lengths of
sequences the inverse frequencies (float32) and the attention factor.

usage: tools/golden/rope.py     (needs `pip install transformers torch`)
"""
import json
import pathlib

import transformers
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.gemma3.modeling_gemma3 import Gemma3RotaryEmbedding
from transformers.models.gpt_neox.modeling_gpt_neox import GPTNeoXRotaryEmbedding
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
from transformers.models.modernbert.modeling_modernbert import ModernBertRotaryEmbedding
from transformers.models.phi3.modeling_phi3 import Phi3RotaryEmbedding

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "rope.json"
LLAMA = (transformers.LlamaConfig, LlamaRotaryEmbedding, {})
NEOX = (transformers.GPTNeoXConfig, GPTNeoXRotaryEmbedding,
        {"rotary_share": 0.25, "theta_key": "rotary_emb_base", "share_key": "rotary_pct"})
PHI3 = (transformers.Phi3Config, Phi3RotaryEmbedding,
        {"original_positions": 4096, "share_key": "partial_rotary_factor"})
GEMMA3 = transformers.Gemma3TextConfig
LAYERS = {"layer_types": ["full_attention", "sliding_attention"], "num_hidden_layers": 2}
GEMMA_FULL = (GEMMA3, Gemma3RotaryEmbedding, {"layer_type": "full_attention", "theta": 1e6})
GEMMA_LOCAL = (GEMMA3, Gemma3RotaryEmbedding, {"layer_type": "sliding_attention", "theta_key": "rope_local_base_freq",
                                               "reads_rope_scaling": False})
BERT_FULL = (transformers.ModernBertConfig, ModernBertRotaryEmbedding,
             {"layer_type": "full_attention", "theta": 160000.0, "theta_key": "global_rope_theta"})
BERT_LOCAL = (transformers.ModernBertConfig, ModernBertRotaryEmbedding,
              {"layer_type": "sliding_attention", "theta_key": "local_rope_theta"})
FACTORS = {"short_factor": [1.0, 1.25, 1.5, 2.0, 2.2, 2.75, 3.1, 4.0], "long_factor": [1.0, 1.7, 3, 5.5, 9, 17, 33, 64.8]}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 2048}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 8192}

# id: family, head_dim, what config.json says, further lengths
CASES = {
    "plain": (LLAMA, 64, {"rope_theta": 500000.0}, []),
    "plain_new": (LLAMA, 80, {"rope_parameters": {"rope_theta": 1e6, "rope_type": "default"}}, []),
    "integer_theta": (LLAMA, 128, {"rope_theta": 10000, "rope_scaling": None}, []),
    "partial": (PHI3, 80, {"rope_parameters": {"rope_theta": 1e4, "rope_type": "default", "partial_rotary_factor": 0.4}},
                []),
    "linear": (LLAMA, 64, {"rope_theta": 1e4, "rope_scaling": {"type": "linear", "factor": 3}}, []),
    "linear_new": (LLAMA, 64, {"rope_parameters": {"rope_type": "linear", "rope_theta": 2e4, "factor": 2.5}}, []),
    "dynamic": (LLAMA, 96, {"rope_theta": 1e4, "max_position_embeddings": 2048,
                            "rope_scaling": {"type": "dynamic", "factor": 2.0}}, [2048, 5000]),
    "yarn": (LLAMA, 128, {"rope_theta": 1e6, "max_position_embeddings": 8192, "rope_scaling": YARN}, []),
    "yarn_exact": (LLAMA, 64, {"rope_theta": 1e6, "max_position_embeddings": 8192, "rope_scaling": dict(
        YARN, truncate=False, beta_fast=24.0, beta_slow=1.5, attention_factor=0.8)}, []),
    "yarn_mscale": (LLAMA, 64, {"max_position_embeddings": 8192, "rope_parameters": dict(
        YARN, rope_theta=5e4, factor=8.0, mscale=0.707, mscale_all_dim=1.2)}, []),
    "yarn_ratio": (LLAMA, 64, {"max_position_embeddings": 32768, "rope_scaling": dict(YARN, factor=None)}, []),
    "llama3": (LLAMA, 128, {"rope_theta": 500000.0, "max_position_embeddings": 131072, "rope_scaling": LLAMA3}, []),
    "llama3_new": (LLAMA, 64, {"max_position_embeddings": 131072, "rope_parameters": dict(
        LLAMA3, factor=32.0, rope_theta=5e5)}, []),
    "longrope": (PHI3, 16, {"rope_theta": 1e4, "max_position_embeddings": 131072,
                            "original_max_position_embeddings": 4096,
                            "rope_scaling": dict(FACTORS, type="longrope")}, [4096, 4097]),
    "longrope_su": (PHI3, 16, {"max_position_embeddings": 8192, "rope_scaling": dict(
        FACTORS, type="su", original_max_position_embeddings=4096)}, [4097]),
    "longrope_partial": (PHI3, 32, {"partial_rotary_factor": 0.5, "max_position_embeddings": 8192, "rope_scaling": dict(
        FACTORS, rope_type="longrope", attention_factor=1.3, original_max_position_embeddings=64)}, [100, 5000]),
    "longrope_factor": (LLAMA, 16, {"max_position_embeddings": 8192, "rope_parameters": dict(
        FACTORS, rope_type="longrope", rope_theta=1e4, factor=16.0, original_max_position_embeddings=512)}, [512, 513]),
    "neox": (NEOX, 64, {"rotary_pct": 0.25, "rotary_emb_base": 10000}, []),
    "neox_bare": (NEOX, 64, {}, []),
    "neox_new": (NEOX, 80, {"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 3e4,
                                                "partial_rotary_factor": 0.5}}, []),
    "gemma3_full": (GEMMA_FULL, 256, {"rope_theta": 1e6, "rope_local_base_freq": 1e4,
                                      "rope_scaling": {"rope_type": "linear", "factor": 8.0}}, []),
    "gemma3_sliding": (GEMMA_LOCAL, 256, {"rope_theta": 1e6, "rope_local_base_freq": 12000.0,
                                          "rope_scaling": {"rope_type": "linear", "factor": 8.0}}, []),
    "gemma3_full_new": (GEMMA_FULL, 128, {"rope_parameters": {
        "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 2e6},
        "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}}, []),
    "gemma3_sliding_new": (GEMMA_LOCAL, 128, {"rope_parameters": {
        "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 2e6},
        "sliding_attention": {"rope_type": "default", "rope_theta": 3e4}}}, []),
    "modernbert_full": (BERT_FULL, 64, {"global_rope_theta": 170000.0, "local_rope_theta": 9000.0}, []),
    "modernbert_sliding": (BERT_LOCAL, 64, {"global_rope_theta": 170000.0, "local_rope_theta": 9000.0}, []),
    "modernbert_bare": (BERT_FULL, 64, {}, []),
}


def frequencies(module, config, layer, length):
    kind = config.rope_parameters[layer]["rope_type"] if layer else config.rope_parameters["rope_type"]
    if length > 0:
        return ROPE_INIT_FUNCTIONS[kind](config, seq_len=length)
    built = module(config)
    prefix = f"{layer}_" if layer else ""
    return getattr(built, prefix + "inv_freq"), getattr(built, prefix + "attention_scaling")


def case(name, family, head_dim, said, lengths):
    config_class, module, defaults = family
    layer = defaults.get("layer_type")
    heads = 4
    shape = {"hidden_size": heads * head_dim, "num_attention_heads": heads, **(LAYERS if layer else {})}
    if "head_dim" in config_class.__dataclass_fields__ and config_class.__dataclass_fields__["head_dim"].init:
        shape["head_dim"] = head_dim
    config = config_class.from_dict(json.loads(json.dumps({**shape, **said})))
    entries = []
    for length in [0, *lengths]:
        inverse, factor = frequencies(module, config, layer, length)
        entries.append({"length": length, "attention_factor": float(factor),
                        "inverse": [float(f"{value:.9g}") for value in inverse.tolist()]})
    return {"id": name, "head_dim": head_dim, "config": said,
            "defaults": {"max_positions": config.max_position_embeddings, **defaults}, "lengths": entries}


def main():
    cases = [case(name, *row) for name, row in CASES.items()]
    text = ",\n".join("  " + json.dumps(entry) for entry in cases)
    OUT.write_text(f'{{"transformers": "{transformers.__version__}", "cases": [\n{text}\n]}}\n')


if __name__ == "__main__":
    main()
