"""Decoders: logits, loss, gradients, greedy continuation, beam search, router losses."""
import itertools

import torch
import transformers

from architectures_checkpoint import IDS, VOCABULARY, bfloat16_copy, gradients, load, numbers, rows_of, write
from architectures_search import beam_cases, greedy

LENGTH, PROMPT, NEW = 28, 5, 64
SHARED = {"num_hidden_layers": 2, "max_position_embeddings": 128, **IDS}
SMALL = {"hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8,
         "tie_word_embeddings": False, **SHARED}
PHI = {"hidden_size": 32, "intermediate_size": 24, "num_attention_heads": 4, "num_key_value_heads": 2, **SHARED}
EXPERTS = {"num_experts_per_tok": 2, "router_aux_loss_coef": 0.05, **SMALL}


def rope(kind, **more):
    """A base this small gives the few frequencies of a small head wavelengths on both sides of the scalings' bounds."""
    return {"rope_parameters": {"rope_type": kind, "rope_theta": 100.0, **more}}


def gemma(config, **more):
    return config(**{**SMALL, "tie_word_embeddings": True, **more})


def neox(**more):
    shape = {key: value for key, value in PHI.items() if key != "num_key_value_heads"}
    return transformers.GPTNeoXConfig(**shape, **more)


def phi3(**more):
    return transformers.Phi3Config(**{**PHI, **more})


FAMILIES = {
    "llama_rope": {
        "llama_linear": transformers.LlamaConfig(**SMALL, **rope("linear", factor=4.0)),
        "llama_dynamic": transformers.LlamaConfig(
            **{**SMALL, "max_position_embeddings": 16}, **rope("dynamic", factor=8.0)),
        "llama_yarn": transformers.LlamaConfig(
            **SMALL, **rope("yarn", factor=4.0, original_max_position_embeddings=32)),
        "llama_yarn_mscale": transformers.LlamaConfig(
            **SMALL, mlp_bias=True, attention_bias=True,
            **rope("yarn", factor=4.0, original_max_position_embeddings=32, beta_fast=4.0, beta_slow=0.5, mscale=0.7,
                   mscale_all_dim=1.2, truncate=False)),
        "llama_llama3": transformers.LlamaConfig(
            **SMALL, **rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                            original_max_position_embeddings=32)),
    },
    "phi3": {
        "phi3": phi3(sliding_window=7),
        "phi3_partial": phi3(tie_word_embeddings=True,
                             rope_parameters={"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5}),
        "phi3_longrope": phi3(original_max_position_embeddings=16, **rope(
            "longrope", short_factor=[1.0, 1.1, 1.3, 1.7], long_factor=[1.2, 2.0, 3.5, 6.0])),
        "phi3_longrope_partial": phi3(original_max_position_embeddings=16, **rope(
            "longrope", short_factor=[1.05, 1.2, 1.6], long_factor=[1.3, 2.5, 5.0], partial_rotary_factor=0.75)),
    },
    "gemma": {
        "gemma": gemma(transformers.GemmaConfig, hidden_act="gelu_pytorch_tanh", num_key_value_heads=1),
        "gemma2": gemma(transformers.Gemma2Config, sliding_window=6, query_pre_attn_scalar=12,
                        attn_logit_softcapping=2.0, final_logit_softcapping=3.0),
        "gemma2_no_caps": gemma(transformers.Gemma2Config, sliding_window=6, query_pre_attn_scalar=8,
                                attn_logit_softcapping=None, final_logit_softcapping=None, attention_bias=True),
        "gemma3_text": gemma(transformers.Gemma3TextConfig, num_hidden_layers=4, sliding_window=6,
                             query_pre_attn_scalar=12, sliding_window_pattern=3, rope_parameters={
                                 "sliding_attention": {"rope_type": "default", "rope_theta": 50.0},
                                 "full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 400.0}}),
    },
    "gpt2": {
        "gpt2": transformers.GPT2Config(n_embd=16, n_layer=2, n_head=4, n_positions=128, **IDS),
        "gpt2_inverse_layer": transformers.GPT2Config(
            n_embd=16, n_layer=3, n_head=2, n_inner=24, n_positions=128, activation_function="gelu",
            scale_attn_by_inverse_layer_idx=True, **IDS),
    },
    "gpt_neox": {
        "gpt_neox": neox(rope_parameters={"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5}),
        "gpt_neox_sequential": neox(use_parallel_residual=False, attention_bias=False, hidden_act="gelu_new",
                                    rope_parameters={"rope_type": "default", "rope_theta": 100.0,
                                                     "partial_rotary_factor": 1.0}),
    },
    "moe": {
        "mixtral": transformers.MixtralConfig(num_local_experts=4, sliding_window=7, **EXPERTS),
        "qwen3_moe": transformers.Qwen3MoeConfig(num_experts=4, moe_intermediate_size=12, norm_topk_prob=True,
                                                 **EXPERTS),
        "qwen3_moe_mixed": transformers.Qwen3MoeConfig(
            num_experts=5, moe_intermediate_size=12, norm_topk_prob=False, attention_bias=True,
            **{**EXPERTS, "num_hidden_layers": 4, "num_experts_per_tok": 3}, decoder_sparse_step=2,
            mlp_only_layers=[3]),
    },
}
BELOW = {"llama_dynamic": 12, "phi3_longrope": 12, "phi3_longrope_partial": 16}  # also a sequence of this length
SCALES = {name: 0.5 for name in FAMILIES["gemma"]}


def router(name, model_class, ids):
    """Of mixtures of experts: each layer's router logits, the load-balancing loss, the total loss and its gradients."""
    model = load(name, model_class)
    out = model(ids, labels=ids, output_router_logits=True)
    out.loss.backward()
    chosen = model.config.num_experts_per_tok
    for logits in out.router_logits:
        ranked = logits.sort(dim=-1, descending=True).values
        if (ranked[:, chosen - 1] - ranked[:, chosen]).min() < 1e-3:
            return None
    return {"router_logits": [rows_of(logits, [0, LENGTH // 2, LENGTH - 1]) for logits in out.router_logits],
            "router_rows": [0, LENGTH // 2, LENGTH - 1], "auxiliary_loss": numbers(out.aux_loss)[0],
            "total_loss": numbers(out.loss)[0], "total_gradients": gradients(model)}


def numbers_of(name, model_class, ids):
    """What one sequence gives: logits, loss and gradients."""
    model = load(name, model_class)
    length = ids.numel()
    rows = [0, 1, length // 2, length - 1]
    logits = model(ids.unsqueeze(0)).logits[0]
    loss = torch.nn.functional.cross_entropy(logits[:-1], ids[1:])
    loss.backward()
    case = {"checkpoint": name, "class": model_class.__name__, "ids": ids.tolist(), "rows": rows,
            "logits": rows_of(logits, rows), "loss": numbers(loss)[0],
            "gradients": gradients(model)}
    if "num_experts_per_tok" not in model.config.to_dict():
        with torch.no_grad():
            case["bfloat16_logits"] = rows_of(bfloat16_copy(load(name, model_class))(ids.unsqueeze(0)).logits[0], rows)
    return case


def case(name, config, seed):
    """None where a choice between two tokens or experts would hang on rounding."""
    model_class = transformers.AutoModelForCausalLM._model_mapping[type(config)]
    generator = write(name, model_class, config, seed, SCALES.get(name, 0.3))
    ids = torch.randint(3, VOCABULARY, (LENGTH,), generator=generator)
    found = numbers_of(name, model_class, ids)
    new = greedy(name, model_class, ids[:PROMPT].tolist(), NEW)
    if new is None:
        return None
    found.update(prompt=PROMPT, greedy_ids=new)
    if "num_experts_per_tok" in config.to_dict():
        more = router(name, model_class, ids.unsqueeze(0))
        if more is None:
            return None
        found.update(more)
    if name == "gpt2":
        prompts = torch.randint(3, VOCABULARY, (20, PROMPT), generator=generator)
        beams = beam_cases(name, model_class, prompts, {"pad_token_id": 0, "eos_token_id": 2})
        if beams is None:
            return None
        found["beams"] = beams
    below = {f"{name}_below": numbers_of(name, model_class, ids[:BELOW[name]])} if name in BELOW else {}
    return {name: found, **below}


def family(name):
    cases = {}
    for number, (checkpoint, config) in enumerate(FAMILIES[name].items()):
        for seed in itertools.count(100 * number):
            found = case(checkpoint, config, seed)
            if found:
                print(f"{checkpoint}: seed {seed}")
                break
        cases.update(found)
    return cases
