#!/usr/bin/env python3
"""Writes tests/golden/architectures/published.json: how published checkpoints differ from what transformers writes today.

Each case turns a checkpoint of tests/golden/models into the layout in which models of its family were published: other
keys in config.json (`set`, `remove`), and other names in model.safetensors: without the tensors `dropped`, and with those
of `tensors`, which maps a name to the one of ours that it equals, or to {"dtype", "shape"} for zeros that no model uses.
transformers reads both and computes the same, which this script checks; so must every other reader.

usage: tools/golden/architectures_published.py     (needs `pip install transformers torch`)
"""
import json
import pathlib
import re
import tempfile

import safetensors.torch
import torch
import transformers

from architectures_checkpoint import GOLDEN
from architectures_refusals import golden_of, row_of

SAME = 1e-6
TORCH = {"I64": torch.int64, "F32": torch.float32, "U8": torch.uint8}
OLD = {"torch_dtype": "float32", "transformers_version": "4.8.2"}
LATER = ["dtype", "rope_parameters", "layer_types"]  # keys of transformers 5
BERT = {**OLD, "gradient_checkpointing": False, "position_embedding_type": "absolute", "use_cache": True,
        "directionality": "bidi", "pooler_fc_size": 768, "pooler_num_attention_heads": 12, "pooler_num_fc_layers": 3,
        "pooler_size_per_head": 128, "pooler_type": "first_token_transform", "_name_or_path": "a/b"}
T5 = {**OLD, "n_positions": 512, "output_past": True, "gradient_checkpointing": False, "model_parallel": False,
      "task_specific_params": {"summarization": {"early_stopping": True, "num_beams": 4, "prefix": "summarize: "}}}
T5_LATER = ["dtype", "scale_decoder_outputs", "dense_act_fn", "is_gated_act", "classifier_dropout", "is_decoder"]


def zeros(dtype, *shape):
    return {"dtype": dtype, "shape": list(shape)}


def gamma_beta(names):
    """As the first BERT checkpoints name their norms."""
    return {re.sub("LayerNorm.bias$", "LayerNorm.beta", re.sub("LayerNorm.weight$", "LayerNorm.gamma", name)): name
            for name in names}


def without_prefix(prefix):
    return lambda names: {name.removeprefix(prefix): name for name in names}


def and_more(rename, more):
    return lambda names: {**rename(names), **more}


def same(names):
    return {name: name for name in names}


def copies(names, *extra):
    """Tied tensors that the file holds more than once."""
    return lambda all_names: {**same(all_names), **{name: source for name in extra for source in names}}


def each_layer(pattern, layers, value):
    return {pattern.format(i): value for i in range(layers)}


# name of the case: (checkpoint, keys set, keys removed, names of tensors)
CASES = {
    "llama_of_2023": ("llama_linear", {
        **OLD, "rope_theta": 100.0, "rope_scaling": {"type": "linear", "factor": 4.0}, "pretraining_tp": 1,
        "_name_or_path": "a/b"}, LATER, and_more(same, each_layer("model.layers.{}.self_attn.rotary_emb.inv_freq", 2,
                                                                  zeros("F32", 4)))),
    "llama_3_1": ("llama_llama3", {
        **OLD, "rope_theta": 100.0, "eos_token_id": [2, 3, 4], "rope_scaling": {
            "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 32,
            "rope_type": "llama3"}}, LATER, same),
    "phi_3": ("phi3_partial", {
        **OLD, "rope_theta": 10000.0, "rope_scaling": None, "partial_rotary_factor": 0.5, "attention_bias": False,
        "embd_pdrop": 0.0, "resid_pdrop": 0.0, "sliding_window": 262144, "auto_map": {
            "AutoConfig": "configuration_phi3.Phi3Config", "AutoModelForCausalLM": "modeling_phi3.Phi3ForCausalLM"}},
        LATER, same),
    "gemma_first": ("gemma", {**OLD, "hidden_act": "gelu", "hidden_activation": None, "rope_theta": 10000.0,
                              "rope_scaling": None}, LATER, same),
    "gemma_2": ("gemma2", {**OLD, "hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh",
                           "rope_theta": 10000.0, "cache_implementation": "hybrid"}, LATER, same),
    "gemma_3": ("gemma3_text", {
        **OLD, "rope_theta": 400.0, "rope_local_base_freq": 50.0, "sliding_window_pattern": 3,
        "rope_scaling": {"factor": 4.0, "rope_type": "linear"}, "cache_implementation": "hybrid"}, LATER, same),
    "gpt2_first": ("gpt2", {
        **OLD, "n_ctx": 128, "output_past": True, "gradient_checkpointing": False, "task_specific_params": {
            "text-generation": {"do_sample": True, "max_length": 50}}}, ["dtype", "add_cross_attention",
                                                                      "tie_word_embeddings", "pad_token_id"],
        and_more(without_prefix("transformer."), each_layer("h.{}.attn.bias", 2, zeros("F32", 1, 1, 128, 128)))),
    "gpt2_head_in_file": ("gpt2", {}, [], copies(["transformer.wte.weight"], "lm_head.weight")),
    "pythia": ("gpt_neox", {
        **OLD, "rotary_pct": 0.5, "rotary_emb_base": 10000, "rope_scaling": None, "hidden_dropout": 0.0,
        "classifier_dropout": 0.1}, [*LATER, "pad_token_id"], and_more(same, {
            **each_layer("gpt_neox.layers.{}.attention.bias", 2, zeros("U8", 1, 1, 128, 128)),
            **each_layer("gpt_neox.layers.{}.attention.masked_bias", 2, zeros("F32")),
            **each_layer("gpt_neox.layers.{}.attention.rotary_emb.inv_freq", 2, zeros("F32", 2))})),
    "mixtral_2023": ("mixtral", {**OLD, "rope_theta": 1e6, "rope_scaling": None}, LATER, same),
    "qwen3_moe_2025": ("qwen3_moe_mixed", {
        **OLD, "rope_theta": 10000.0, "rope_scaling": None, "max_window_layers": 48, "sliding_window": None,
        "use_sliding_window": False}, LATER, same),
    "bert_first": ("bert_masked_lm", BERT, ["dtype", "tie_word_embeddings", "is_decoder", "add_cross_attention",
                                           "layer_norm_eps", "classifier_dropout"],
                   and_more(gamma_beta, {"cls.seq_relationship.weight": zeros("F32", 2, 16),
                                         "cls.seq_relationship.bias": zeros("F32", 2),
                                         "bert.pooler.dense.weight": zeros("F32", 16, 16),
                                         "bert.pooler.dense.bias": zeros("F32", 16),
                                         "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight"})),
    "bert_with_position_ids": ("bert_classify", BERT, ["dtype"], and_more(same, {
        "bert.embeddings.position_ids": zeros("I64", 1, 40)})),
    "sentence_encoder": ("bert_base", BERT, ["dtype"], and_more(same, {"embeddings.position_ids": zeros("I64", 1, 40)})),
    "base_under_a_prefix": ("bert_base", {}, [], lambda names: {f"bert.{name}": name for name in names}),
    "roberta_first": ("roberta_masked_lm", {**OLD}, ["dtype", "tie_word_embeddings"], and_more(same, {
        "roberta.embeddings.position_ids": zeros("I64", 1, 40),
        "roberta.pooler.dense.weight": zeros("F32", 16, 16), "roberta.pooler.dense.bias": zeros("F32", 16),
        "lm_head.decoder.weight": "roberta.embeddings.word_embeddings.weight", "lm_head.decoder.bias": "lm_head.bias"})),
    "distilbert_first": ("distilbert_masked_lm", {**OLD, "tie_weights_": True, "output_past": True}, [
        "dtype", "tie_word_embeddings"], and_more(same, {
            "vocab_projector.weight": "distilbert.embeddings.word_embeddings.weight"})),
    "modernbert_2024": ("modernbert_masked_lm", {
        **OLD, "global_attn_every_n_layers": 3, "global_rope_theta": 400.0, "local_rope_theta": 50.0,
        "layer_norm_eps": 1e-05, "position_embedding_type": "absolute", "gradient_checkpointing": False,
        "reference_compile": None, "repad_logits_with_grad": False, "architectures": ["ModernBertForMaskedLM"]},
        LATER, same),
    "t5_first": ("t5", T5, [*T5_LATER, "feed_forward_proj", "num_decoder_layers"],
                 and_more(same, {"encoder.embed_tokens.weight": "shared.weight",
                                 "decoder.embed_tokens.weight": "shared.weight", "lm_head.weight": "shared.weight",
                                 "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight":
                                     zeros("F32", 8, 3)})),
    "flan_t5": ("t5_flan", {**T5, "tie_word_embeddings": False, "feed_forward_proj": "gated-gelu"}, T5_LATER,
                and_more(same, {"encoder.embed_tokens.weight": "shared.weight",
                                "decoder.embed_tokens.weight": "shared.weight"})),
}


def write(folder, checkpoint, changed, removed, tensors):
    source = GOLDEN / "models" / checkpoint
    config = json.loads((source / "config.json").read_text())
    for key in removed:
        config.pop(key, None)
    (folder / "config.json").write_text(json.dumps({**config, **changed}))
    ours = safetensors.torch.load_file(source / "model.safetensors")
    assert set(ours) <= {value for value in tensors.values() if isinstance(value, str)}, "every tensor must be there"
    safetensors.torch.save_file({name: ours[value].clone() if isinstance(value, str) else
                                 torch.zeros(value["shape"], dtype=TORCH[value["dtype"]])
                                 for name, value in tensors.items()}, folder / "model.safetensors", {"format": "pt"})


def main():
    torch.set_num_threads(1)
    cases = {}
    for name, (checkpoint, changed, removed, rename) in CASES.items():
        family, golden = golden_of(checkpoint)
        names = sorted(safetensors.torch.load_file(GOLDEN / "models" / checkpoint / "model.safetensors"))
        tensors = rename(names)
        model_class = getattr(transformers, golden["class"])
        with tempfile.TemporaryDirectory() as scratch:
            write(pathlib.Path(scratch), checkpoint, changed, removed, tensors)
            model, loading = model_class.from_pretrained(scratch, dtype=torch.float32, attn_implementation="eager",
                                                         output_loading_info=True)
        row = row_of(model.eval(), golden)
        wanted = row_of(model_class.from_pretrained(GOLDEN / "models" / checkpoint, dtype=torch.float32,
                                                    attn_implementation="eager").eval(), golden)
        print(f"{name}: {(row - wanted).abs().max():.1e}", {key: sorted(value) for key, value in loading.items() if value})
        assert (row - wanted).abs().max() < SAME and not loading["missing_keys"], name
        other = {key: value for key, value in tensors.items() if key != value}
        cases[name] = {"family": family, "checkpoint": checkpoint, "class": golden["class"], "set": changed,
                       "remove": removed, "tensors": other,
                       "dropped": [key for key in names if key not in tensors]}
    document = {"made_by": "tools/golden/architectures_published.py", "transformers": transformers.__version__,
                "torch": torch.__version__, "cases": cases}
    (GOLDEN / "architectures" / "published.json").write_text(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
