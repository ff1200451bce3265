"""Greedy continuations and beam searches of tiny checkpoints, kept only where rounding cannot change the choice."""
import torch

from architectures_checkpoint import load, numbers

GAP = 1e-3
BEAMS = [{"num_beams": 4, "length_penalty": 1.0, "early_stopping": False},
         {"num_beams": 4, "length_penalty": 2.0, "early_stopping": True},
         {"num_beams": 3, "length_penalty": 0.3, "early_stopping": "never"}]
BEAM_NEW = 16
DIFFERENT = 4  # tokens that a continuation has at least


def greedy(name, model_class, ids, count, **inputs):
    """ids and `count` tokens after them, each from a forward pass of the whole sequence, or None: a near tie, the end
    of sequence, or a continuation that says nothing. With inputs (of an encoder), ids are the decoder's."""
    model, ids, start = load(name, model_class), list(ids), len(ids)
    where = "decoder_input_ids" if inputs else "input_ids"
    ends = model.config.eos_token_id
    with torch.no_grad():
        for _ in range(count):
            best = model(**{where: torch.tensor([ids])}, **inputs).logits[0, -1].topk(2)
            if best.values[0] - best.values[1] < GAP or int(best.indices[0]) == ends:
                return None
            ids.append(int(best.indices[0]))
    return ids if len(set(ids[start:])) >= DIFFERENT else None


def beam_cases(name, model_class, inputs, more):
    """For the first of the inputs with which it works: every returned sequence with its score under each of BEAMS.
    None: near ties, settings that change nothing, few different tokens, or no sequence that ends."""
    for ids in inputs:
        cases = [beams(name, model_class, ids, setting, more) for setting in BEAMS]
        if None in cases:
            continue
        best = [case["sequences"][0] for case in cases]
        longest = max(len(sequence) for case in cases for sequence in case["sequences"])
        shorter = any(len(sequence) < longest for case in cases for sequence in case["sequences"])
        if shorter and any(one != best[0] for one in best) and len(set(best[0]) - set(ids.tolist())) >= DIFFERENT:
            return {"ids": ids.tolist(), "settings": cases}
    return None


def beams(name, model_class, ids, setting, more):
    count = setting["num_beams"]
    out = load(name, model_class).generate(
        ids.unsqueeze(0), attention_mask=torch.ones(1, ids.numel(), dtype=torch.long), max_new_tokens=BEAM_NEW,
        do_sample=False, return_dict_in_generate=True, output_scores=True, num_return_sequences=count, **setting, **more)
    scores = out.sequences_scores
    if (scores[:-1] - scores[1:]).min() < GAP:
        return None
    start = 1 if "decoder_start_token_id" in more else ids.numel()
    return {**setting, "max_new_tokens": BEAM_NEW, "sequences": [trimmed(row, start, more["eos_token_id"]) for row in out.sequences.tolist()],
            "scores": numbers(scores)}


def trimmed(row, start, end):
    """Without what follows the first end of sequence."""
    return row[:row.index(end, start) + 1] if end in row[start:] else row
