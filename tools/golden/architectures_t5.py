"""T5: logits of a decoder beside an encoder, loss, gradients, greedy continuation, beam search, and its two heads."""
import itertools

import torch
import transformers

from architectures_checkpoint import VOCABULARY, bfloat16_copy, gradients, load, numbers, rows_of, write
from architectures_search import beam_cases, greedy

FIRST_ID, ENCODER, DECODER, NEW = 3, [28, 40], 24, 64
SHARED = {"vocab_size": VOCABULARY, "d_model": 16, "d_kv": 6, "d_ff": 24, "num_heads": 3, "num_layers": 2,
          "pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0}
FEW_BUCKETS = {"relative_attention_num_buckets": 8, "relative_attention_max_distance": 20}
FLAN = {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False, "num_layers": 3, "num_decoder_layers": 2}
MODELS = {  # name: (class, settings)
    "t5": ("T5ForConditionalGeneration", FEW_BUCKETS),
    "t5_flan": ("T5ForConditionalGeneration", FLAN),
    "t5_encoder": ("T5EncoderModel", FEW_BUCKETS),
    "t5_classify": ("T5ForSequenceClassification", {"num_labels": 3, **FLAN, **FEW_BUCKETS}),
    "t5_tokens": ("T5ForTokenClassification", {"num_labels": 5, **FEW_BUCKETS}),
}


def untie(generator_seed):
    """A head of its own, as Flan-T5's checkpoints have it."""
    def mend(model):
        if hasattr(model, "lm_head"):
            noise = torch.randn(model.lm_head.weight.shape, generator=torch.Generator().manual_seed(generator_seed))
            model.lm_head.weight = torch.nn.Parameter(0.3 * noise)
            model.all_tied_weights_keys.pop("lm_head.weight")
    return mend


def draw(length, generator, most=VOCABULARY):
    return torch.randint(FIRST_ID, most, (length,), generator=generator)


def generation(name, model_class, generator):
    """A short and a long encoder input; the second is only there for its logits."""
    inputs = [draw(length, generator) for length in ENCODER]
    target = draw(DECODER, generator)
    sequences = []
    rows = [0, 1, DECODER // 2, DECODER - 1]
    for ids in inputs:
        with torch.no_grad():
            out = load(name, model_class)(input_ids=ids.unsqueeze(0), labels=target.unsqueeze(0))
        model = load(name, model_class).double()  # scores without a scale: in float32 gradients have errors above 1e-4
        model(input_ids=ids.unsqueeze(0), labels=target.unsqueeze(0)).loss.backward()
        last = [0, ids.numel() // 2, ids.numel() - 1]
        with torch.no_grad():
            rounded = bfloat16_copy(load(name, model_class))(input_ids=ids.unsqueeze(0), labels=target.unsqueeze(0))
        sequences.append({
            "ids": ids.tolist(), "labels": target.tolist(), "decoder_ids": [0, *target[:-1].tolist()], "rows": rows,
            "logits": rows_of(out.logits[0], rows), "loss": numbers(out.loss)[0],
            "bfloat16_logits": rows_of(rounded.logits[0], rows), "gradients": gradients(model), "encoder_rows": last,
            "encoder_hidden": rows_of(out.encoder_last_hidden_state[0], last)})
    ids = inputs[0].unsqueeze(0)
    new = greedy(name, model_class, [0], NEW, input_ids=ids)
    beams = new and beam_cases(name, model_class, [draw(ENCODER[0], generator) for _ in range(20)],
                               {"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0})
    return beams and {"sequences": sequences, "greedy_ids": new, "beams": beams}


def head(name, model_class, generator):
    """Rows of the encoder, or of one of the heads."""
    model = load(name, model_class)
    sequences, losses = [], []
    for length in ENCODER:
        ids = draw(length, generator)
        ids[-1] = 1  # the classifier reads the decoder where the sequence ends
        row = {"ids": ids.tolist()}
        if name == "t5_encoder":
            rows = [0, length // 2, length - 1]
            row.update(rows=rows, hidden=rows_of(model(input_ids=ids.unsqueeze(0)).last_hidden_state[0], rows))
        else:
            shape = (1,) if name == "t5_classify" else (1, length)
            labels = torch.randint(0, model.config.num_labels, shape, generator=generator)
            out = model(input_ids=ids.unsqueeze(0), labels=labels)
            losses.append(out.loss * (length if name == "t5_tokens" else 1))
            row.update(labels=labels[0].tolist(), logits=rows_of(out.logits.reshape(-1, model.config.num_labels),
                                                                 range(out.logits.numel() // model.config.num_labels)))
        sequences.append(row)
    found = {"sequences": sequences}
    if losses:
        loss = sum(losses) / (sum(ENCODER) if name == "t5_tokens" else len(ENCODER))
        loss.backward()
        found.update(loss=numbers(loss)[0], gradients=gradients(model))
    return found


def case(name, seed):
    class_name, settings = MODELS[name]
    model_class = getattr(transformers, class_name)
    mend = untie(seed) if "lm" not in settings and settings.get("tie_word_embeddings") is False else None
    generator = write(name, model_class, transformers.T5Config(**{**SHARED, **settings}), seed, 0.5, mend)
    makes = generation if class_name == "T5ForConditionalGeneration" else head
    found = makes(name, model_class, generator)
    return found and {"checkpoint": name, "class": class_name, **found}


def family(name):
    cases = {}
    for number, checkpoint in enumerate(MODELS):
        for seed in itertools.count(100 * number):
            found = case(checkpoint, seed)
            if found:
                print(f"{checkpoint}: seed {seed}")
                break
        cases[checkpoint] = found
    return cases
