"""Encoders: each head's outputs, loss and gradients for two sequences of different lengths, without padding."""
import torch
import transformers

from architectures_checkpoint import VOCABULARY, gradients, load, numbers, rows_of, write

FIRST_ID = 5
LENGTHS = [23, 13]
SHARED = {"vocab_size": VOCABULARY}
BERT = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 24,
        "max_position_embeddings": 40, **SHARED}
DISTIL = {"dim": 16, "n_layers": 2, "n_heads": 4, "hidden_dim": 24, "max_position_embeddings": 40, **SHARED}
MODERN = {"hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 24, "local_attention": 8,
          "max_position_embeddings": 64, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 1,
          "sep_token_id": 2, "rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 400.0},
                                                 "sliding_attention": {"rope_type": "default", "rope_theta": 50.0}},
          **SHARED}
BIASES = {"norm_bias": True, "attention_bias": True, "mlp_bias": True, "classifier_bias": True}
CONFIGS = {
    "bert": lambda **more: transformers.BertConfig(**BERT, **more),
    "roberta": lambda **more: transformers.RobertaConfig(**BERT, type_vocab_size=1, **more),
    "distilbert": lambda **more: transformers.DistilBertConfig(**DISTIL, **more),
    "modernbert": lambda **more: transformers.ModernBertConfig(**MODERN, **more),
}
HEADS = {  # name: (class of the family, settings)
    "base": ("Model", {}),
    "masked_lm": ("ForMaskedLM", {}),
    "classify": ("ForSequenceClassification", {"num_labels": 3, "problem_type": "single_label_classification"}),
    "multi_label": ("ForSequenceClassification", {"num_labels": 4, "problem_type": "multi_label_classification"}),
    "regression": ("ForSequenceClassification", {"num_labels": 1, "problem_type": "regression"}),
    "tokens": ("ForTokenClassification", {"num_labels": 5}),
    "spans": ("ForQuestionAnswering", {}),
}
CLASSES = {"bert": "Bert", "roberta": "Roberta", "distilbert": "DistilBert", "modernbert": "ModernBert"}
# Checkpoints beyond one for each head: (head, settings).
MORE = {
    "bert": {"bert_gelu_new": ("masked_lm", {"hidden_act": "gelu_new", "layer_norm_eps": 1e-5}),
             "bert_relu": ("classify", {"hidden_act": "relu"})},
    "roberta": {},
    "distilbert": {"distilbert_relu": ("masked_lm", {"activation": "relu"})},
    "modernbert": {"modernbert_biases": ("masked_lm", {**BIASES}),
                   "modernbert_mean": ("classify", {"classifier_pooling": "mean", **BIASES})},
}




def labels_of(head, length, index, generator):
    """What a row of this head is trained with, as transformers' labels."""
    draw = lambda most, shape: torch.randint(0, most, shape, generator=generator)
    if head == "masked_lm":
        labels = torch.full((1, length), -100)
        labels[0, 2::4] = torch.randint(FIRST_ID, VOCABULARY, labels[0, 2::4].shape, generator=generator)
        return {"labels": labels}
    if head == "tokens":
        labels = draw(5, (1, length))
        labels[0, 0] = labels[0, -1] = -100
        return {"labels": labels}
    if head == "spans":
        return {"start_positions": torch.tensor([3 + index]), "end_positions": torch.tensor([length - 4 - index])}
    return {"labels": {"classify": draw(3, (1,)), "multi_label": draw(2, (1, 4)).float(),
                       "regression": torch.randn((1,), generator=generator)}[head]}


def inputs_of(family, generator):
    """One sequence of each length; for BERT the second segment starts in the middle."""
    inputs = []
    for length in LENGTHS:
        row = {"input_ids": torch.randint(FIRST_ID, VOCABULARY, (1, length), generator=generator)}
        if family == "bert":
            row["token_type_ids"] = (torch.arange(length) >= length // 2 + 1).long().unsqueeze(0)
        inputs.append(row)
    return inputs


def described(row):
    found = {"ids": row["input_ids"][0].tolist()}
    if "token_type_ids" in row:
        found["type_ids"] = row["token_type_ids"][0].tolist()
    return found


def outputs(head, out, length):
    """The rows that are compared: all for small outputs, four of the vocabulary-wide ones."""
    if head == "spans":
        return {"logits": [numbers(pair) for pair in torch.stack([out.start_logits[0], out.end_logits[0]], -1)]}
    if head == "tokens":
        return {"logits": [numbers(row) for row in out.logits[0]]}
    rows = [0, 1, length // 2, length - 1]
    if head == "masked_lm":
        return {"rows": rows, "logits": rows_of(out.logits[0], rows)}
    if head == "base":
        found = {"rows": rows, "hidden": rows_of(out.last_hidden_state[0], rows)}
        if getattr(out, "pooler_output", None) is not None:
            found["pooled"] = numbers(out.pooler_output)
        return found
    return {"logits": numbers(out.logits)}


def case(family, name, head, more, seed):
    model_class = getattr(transformers, CLASSES[family] + HEADS[head][0])
    generator = write(name, model_class, CONFIGS[family](**{**HEADS[head][1], **more}), seed)
    model = load(name, model_class)
    rows = inputs_of(family, generator)
    targets = [{} if head == "base" else labels_of(head, length, i, generator) for i, length in enumerate(LENGTHS)]
    out = [model(**row, **target) for row, target in zip(rows, targets)]
    sequences = [{**described(row), **{key: value[0].tolist() for key, value in target.items()},
                  **outputs(head, one, length)} for row, target, one, length in zip(rows, targets, out, LENGTHS)]
    found = {"checkpoint": name, "class": model_class.__name__, "head": head, "sequences": sequences}
    if head != "base":
        # The mean over labelled tokens, or over rows: what transformers gives for both rows in one batch.
        weights = [int((target["labels"] != -100).sum()) if head in ("masked_lm", "tokens") else 1 for target in targets]
        loss = sum(weight * one.loss for weight, one in zip(weights, out)) / sum(weights)
        loss.backward()
        found.update(loss=numbers(loss)[0], gradients=gradients(model))
    return found


def family(name):
    heads = [head for head in HEADS if name == "bert" or head not in ("multi_label", "regression")]
    cases = {f"{name}_{head}": (head, {}) for head in heads} | MORE[name]
    return {key: case(name, key, head, more, 7 + number) for number, (key, (head, more)) in enumerate(cases.items())}
