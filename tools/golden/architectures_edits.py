"""The edits of config.json that architectures_refusals.py tries, by checkpoint of tests/golden/models."""


def edit(key, value, honour=False):
    return {"key": key, "set": {key: value}, "honour": honour}


def both(key, value, *, without=(), honour=True, **more):
    """More than one key: `key` is the one that matters."""
    return {"key": key, "set": {key: value, **more}, "remove": list(without), "honour": honour}


def says(word, change):
    """The change, for which a refusal may speak of another key that no longer fits."""
    return {**change, "key": word}


def absent(key, honour=False):
    return {"key": key, "remove": [key], "honour": honour}


def rope(**more):
    return {"rope_theta": 100.0, **more}


# transformers ignores these where it knows no such key, or no longer does.
OPEN_KEYS = {"is_decoder", "add_cross_attention", "attn_logit_softcapping", "attention_multiplier", "sliding_window",
             "pretraining_tp", "partial_rotary_factor", "use_bidirectional_attention", "reorder_and_upcast_attn",
             "sinusoidal_pos_embds", "num_experts", "shared_expert_intermediate_size", "sparse_prediction",
             "router_jitter_noise"}  # the last one only while training
OPEN_EDITS = [edit("position_embedding_type", "relative_key"), edit("position_embedding_type", "relative_key_query"),
              edit("tie_word_embeddings", True),  # a tied head that the file holds, and differs
              edit("problem_type", "no_such_problem"), edit("hidden_activation", "gelu")]
QUANTIZED = {"quant_method": "bitsandbytes", "load_in_8bit": True}
# What every family must get right.
ANY = [
    edit("quantization_config", QUANTIZED), edit("model_type", "no_such_model"), edit("vocab_size", 50),
    edit("dtype", "bfloat16"), edit("dtype", "float16"), edit("transformers_version", "9.9.9"),
    edit("initializer_range", 0.5), edit("use_cache", False),
    both("torch_dtype", "bfloat16", without=["dtype"], honour=False),
]
# What every decoder with rotary embeddings must.
ROTARY = [
    edit("attention_dropout", 0.3), edit("num_hidden_layers", 1), edit("num_hidden_layers", 5),
    says("heads", edit("num_attention_heads", 3)),
    edit("rope_parameters", rope(rope_type="no_such_scaling")),
    edit("rope_parameters", {"rope_type": "default", "rope_theta": 500.0}, honour=True),
    both("rope_theta", 500.0, without=["rope_parameters"]),
    both("rope_scaling", {"type": "linear", "factor": 2.0}, without=["rope_parameters"], rope_theta=500.0),
    edit("is_decoder", True), edit("add_cross_attention", True),
]
ENCODER = [edit("num_hidden_layers", 1), edit("is_decoder", True), edit("add_cross_attention", True)]

EDITS = {
    "llama_linear": ANY + ROTARY + [
        edit("hidden_act", "gelu"), edit("hidden_act", "relu"), edit("hidden_act", "gelu_pytorch_tanh"),
        edit("hidden_act", "no_such_activation"), edit("attention_bias", True), edit("mlp_bias", True),
        edit("rms_norm_eps", 0.1, honour=True), absent("rms_norm_eps"), edit("head_dim", 4), absent("head_dim"),
        absent("num_key_value_heads"), edit("num_key_value_heads", 4), edit("pretraining_tp", 2),
        edit("tie_word_embeddings", True), edit("max_position_embeddings", 256), edit("intermediate_size", 32),
        edit("hidden_size", 32), edit("sliding_window", 4), edit("attn_logit_softcapping", 5.0), edit("attention_multiplier", 2.0),
        edit("rope_parameters", rope(rope_type="llama3", factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0,
                                     original_max_position_embeddings=32), honour=True),
        edit("rope_parameters", rope(rope_type="yarn", factor=4.0, original_max_position_embeddings=32,
                                     attention_factor=0.5), honour=True),
        edit("rope_parameters", rope(rope_type="linear")),
        edit("rope_parameters", rope(rope_type="default", partial_rotary_factor=0.5)),
        edit("rope_parameters", rope(rope_type="proportional", partial_rotary_factor=0.5)),
        both("rope_scaling", {"type": "dynamic", "factor": 4.0}, without=["rope_parameters"], rope_theta=100.0,
             max_position_embeddings=16),
        both("rope_scaling", {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                              "original_max_position_embeddings": 32}, without=["rope_parameters"], rope_theta=100.0),
        both("rope_scaling", None, without=["rope_parameters"], rope_theta=100.0),
    ],
    "phi3_longrope": [
        edit("hidden_act", "gelu"), edit("sliding_window", 5, honour=True), edit("original_max_position_embeddings", 24),
        edit("max_position_embeddings", 512, honour=True), edit("partial_rotary_factor", 0.5),
        both("rope_scaling", {"type": "longrope", "short_factor": [1.0, 1.1, 1.3, 1.7],
                              "long_factor": [1.2, 2.0, 3.5, 6.0]}, without=["rope_parameters"], honour=False,
             rope_theta=100.0),
        says("short_factor", both("rope_scaling", {"type": "longrope", "short_factor": [1.0, 1.1],
                                                   "long_factor": [1.2, 2.0]},
                                  without=["rope_parameters"], honour=False, rope_theta=100.0)),
        edit("embd_pdrop", 0.3), edit("resid_pdrop", 0.3), edit("num_key_value_heads", 4), edit("tie_word_embeddings", True),
    ],
    "gemma": [edit("hidden_act", "gelu"), edit("hidden_activation", "gelu"), edit("hidden_activation", None),
              edit("hidden_act", "relu"), edit("head_dim", 4), edit("use_bidirectional_attention", True),
              edit("tie_word_embeddings", False), edit("attention_bias", True), edit("rms_norm_eps", 0.1, honour=True),
              both("rope_theta", 500.0, without=["rope_parameters"])],
    "gemma2": [change for change in ROTARY if change["key"] != "num_hidden_layers"] + [
        says("layer_types", edit("num_hidden_layers", 1)), says("layer_types", edit("num_hidden_layers", 5)),
        edit("attn_logit_softcapping", None, honour=True), edit("attn_logit_softcapping", 0.5, honour=True),
        edit("final_logit_softcapping", None, honour=True), edit("final_logit_softcapping", 1.0, honour=True),
        edit("query_pre_attn_scalar", 48, honour=True), edit("sliding_window", 3, honour=True),
        edit("layer_types", ["full_attention", "sliding_attention"], honour=True),
        edit("layer_types", ["full_attention", "no_such_attention"]), edit("layer_types", ["full_attention"]),
        absent("layer_types"), edit("hidden_activation", "gelu"), edit("hidden_activation", "silu"),
        edit("use_bidirectional_attention", True), edit("cache_implementation", "hybrid"), edit("attention_bias", True)],
    "gemma3_text": [
        edit("attn_logit_softcapping", 0.5), edit("final_logit_softcapping", 1.0, honour=True),
        edit("query_pre_attn_scalar", 48, honour=True), edit("sliding_window", 3, honour=True),
        both("sliding_window_pattern", 2, without=["layer_types"]),
        both("rope_theta", 400.0, without=["rope_parameters"], rope_local_base_freq=50.0),
        both("rope_scaling", {"rope_type": "linear", "factor": 4.0}, without=["rope_parameters"], honour=False,
             rope_theta=400.0, rope_local_base_freq=50.0),
        edit("layer_types", ["full_attention"] * 4, honour=True), edit("use_bidirectional_attention", True),
        edit("hidden_activation", "relu")],
    "gpt2": ANY + [
        edit("activation_function", "gelu", honour=True), edit("activation_function", "relu"),
        edit("activation_function", "gelu_pytorch_tanh"), edit("activation_function", "no_such_activation"),
        edit("scale_attn_by_inverse_layer_idx", True, honour=True), edit("reorder_and_upcast_attn", True),
        edit("scale_attn_weights", False), edit("add_cross_attention", True), edit("layer_norm_epsilon", 0.1, honour=True),
        edit("n_inner", 32), edit("n_positions", 64), edit("n_head", 2, honour=True), edit("n_head", 3), edit("n_layer", 1),
        edit("tie_word_embeddings", False), edit("resid_pdrop", 0.3), edit("attn_pdrop", 0.3), edit("is_decoder", True),
        edit("summary_type", "mean"), absent("tie_word_embeddings"), absent("activation_function"), edit("n_ctx", 32)],
    "gpt_neox": ANY + [
        edit("use_parallel_residual", False, honour=True), edit("hidden_act", "gelu_new", honour=True),
        edit("hidden_act", "gelu_fast"), edit("attention_bias", False), edit("layer_norm_eps", 0.1, honour=True),
        both("rotary_pct", 0.5, without=["rope_parameters"], honour=False, rotary_emb_base=10000),
        both("rotary_pct", 1.0, without=["rope_parameters"], rotary_emb_base=10000),
        both("rotary_emb_base", 500, without=["rope_parameters"], rotary_pct=0.5),
        edit("tie_word_embeddings", True), edit("hidden_dropout", 0.3), edit("is_decoder", True),
        edit("rope_parameters", rope(rope_type="no_such_scaling"))],
    "mixtral": ANY + ROTARY + [
        edit("num_experts_per_tok", 1, honour=True), edit("num_experts_per_tok", 3, honour=True), edit("num_experts_per_tok", 9),
        edit("num_local_experts", 5), edit("num_local_experts", 3), edit("hidden_act", "relu"),
        edit("router_jitter_noise", 0.2), edit("router_aux_loss_coef", 0.5), edit("output_router_logits", True),
        edit("sliding_window", 3, honour=True), edit("sliding_window", None, honour=True), absent("head_dim")],
    "qwen3_moe_mixed": [
        edit("norm_topk_prob", True, honour=True), edit("num_experts_per_tok", 1, honour=True), edit("decoder_sparse_step", 1),
        edit("mlp_only_layers", []), edit("attention_bias", False), edit("num_experts", 4), edit("hidden_act", "gelu"),
        both("use_sliding_window", True, sliding_window=3), edit("sliding_window", 3), edit("shared_expert_intermediate_size", 8),
        edit("moe_intermediate_size", 8), absent("norm_topk_prob"), edit("tie_word_embeddings", True)],
    "bert_masked_lm": ANY + ENCODER + [
        edit("hidden_act", "gelu_new", honour=True), edit("hidden_act", "relu", honour=True), edit("hidden_act", "silu"),
        edit("hidden_act", "no_such_activation"), edit("position_embedding_type", "relative_key"),
        edit("position_embedding_type", "relative_key_query"), edit("position_embedding_type", "absolute"),
        edit("layer_norm_eps", 0.1, honour=True), absent("layer_norm_eps"), edit("num_attention_heads", 2, honour=True),
        edit("num_attention_heads", 3), edit("type_vocab_size", 3), edit("max_position_embeddings", 64),
        edit("tie_word_embeddings", False), edit("hidden_dropout_prob", 0.3), edit("pad_token_id", 3),
        edit("gradient_checkpointing", True), edit("classifier_dropout", 0.3)],
    "bert_classify": [edit("num_labels", 4), edit("problem_type", "multi_label_classification"), absent("problem_type"),
                      absent("id2label"), edit("problem_type", "no_such_problem")],
    "roberta_masked_lm": ENCODER + [
        edit("pad_token_id", 0, honour=True), edit("position_embedding_type", "relative_key"), edit("hidden_act", "relu"),
        edit("layer_norm_eps", 0.1, honour=True), edit("type_vocab_size", 2)],
    "distilbert_masked_lm": ANY + [
        edit("activation", "relu", honour=True), edit("activation", "silu"), edit("activation", "no_such_activation"),
        edit("sinusoidal_pos_embds", True), edit("n_heads", 2, honour=True), edit("n_layers", 1), edit("dropout", 0.3),
        edit("qa_dropout", 0.5), edit("tie_weights_", True), edit("hidden_dim", 32)],
    "modernbert_masked_lm": ANY + [
        edit("local_attention", 4, honour=True), both("global_attn_every_n_layers", 2, without=["layer_types"]),
        edit("layer_types", ["full_attention"] * 4, honour=True), edit("layer_types", ["full_attention"] * 3),
        edit("layer_types", ["full_attention"] * 3 + ["no_such_attention"]),
        both("global_rope_theta", 900.0, without=["rope_parameters"], local_rope_theta=20.0),
        edit("hidden_activation", "relu"), edit("hidden_activation", "gelu_new"), edit("norm_bias", True),
        edit("attention_bias", True), edit("mlp_bias", True), edit("decoder_bias", False), edit("norm_eps", 0.1, honour=True),
        edit("sparse_prediction", True), edit("classifier_activation", "relu", honour=False),
        edit("classifier_pooling", "mean"), edit("deterministic_flash_attn", True), edit("reference_compile", True),
        edit("layer_norm_eps", 0.5), edit("position_embedding_type", "absolute"), edit("tie_word_embeddings", False)],
    "modernbert_mean": [edit("classifier_pooling", "cls", honour=True), edit("classifier_pooling", "max"),
                        edit("classifier_bias", False), edit("classifier_activation", "silu")],
    "t5": ANY + [
        both("tie_word_embeddings", False, without=["scale_decoder_outputs"]), edit("tie_word_embeddings", False),
        edit("scale_decoder_outputs", False, honour=True), absent("scale_decoder_outputs"),
        both("feed_forward_proj", "gelu", without=["dense_act_fn", "is_gated_act"], honour=False),
        both("feed_forward_proj", "gated-gelu", without=["dense_act_fn", "is_gated_act"], honour=False),
        both("feed_forward_proj", "relu", without=["dense_act_fn", "is_gated_act"], honour=False),
        edit("dense_act_fn", "gelu_new"), edit("is_gated_act", True),
        edit("relative_attention_num_buckets", 16), edit("relative_attention_max_distance", 12, honour=True),
        absent("relative_attention_max_distance", honour=True), edit("layer_norm_epsilon", 0.1, honour=True),
        edit("num_decoder_layers", 1), absent("num_decoder_layers"), edit("d_kv", 8), edit("dropout_rate", 0.5),
        edit("is_encoder_decoder", False), edit("n_positions", 8), edit("task_specific_params", {"a": {"prefix": "b"}}),
        edit("output_past", True)],
    "t5_flan": [
        both("tie_word_embeddings", False, without=["scale_decoder_outputs"], honour=False),
        absent("scale_decoder_outputs", honour=True),
        both("feed_forward_proj", "gated-gelu", without=["dense_act_fn", "is_gated_act"], honour=False),
        both("feed_forward_proj", "gated-silu", without=["dense_act_fn", "is_gated_act"], honour=False),
        both("feed_forward_proj", "relu", without=["dense_act_fn", "is_gated_act"], honour=False)],
}
