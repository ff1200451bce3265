#!/usr/bin/env python3
"""Whether llama.cpp generates from GGUF files what transformers generates from the directories they were made of.

usage: gguf.py HONE SCRATCH [MODEL]...

A trained model (stories260K of HONE_TEST_DATA): greedy tokens after the openings of stories. Files of type f32, f16 and
bf16 must give those of the model in float32, although llama.cpp rounds weights and activations for the latter two. For
q8_0 it rounds activations to 8 bits, which a small model shows: such a file must give the tokens of the one that
llama.cpp quantizes itself. Random decoders (models_written.py): files of type f32, greedy tokens after
random prompts, the logits of each prompt's last token within 0.01 (llama.cpp's GELU is a table of float16: GPT-2 and
Gemma come to 0.003), and ids of texts. Their other types have near ties that rounding decides: only counted.
"""
import ctypes
import json
import os
import pathlib
import subprocess
import sys

import numpy
import tokenizers
import torch
import transformers
from llama_cpp import llama_cpp as llama

import models_written

TYPES = ("f32", "f16", "bf16", "q8_0")
TEXTS = ["Once upon a time, there was a little girl named Lily.", " a space first", "two  spaces   and\ttab\n\nlines \n x",
         "don't I'LL we've 123456 3.14", "été naïve 你好 🙂", "a" * 40, "", 'x = {"a": [1, 2]};  # ok', " \n "]
OPENINGS = ["Once upon a time", "Once upon a time, there was a little girl named Lily.", "One day, a boy", "The big dog",
            "Tom and Sue were", "Mommy said", "In the park there", "A cat"]
LENGTHS = (1, 3, 7, 12, 20, 40, 60, 90)
NEW = 64
TOLERANCE = 0.01


class LlamaCpp:
    def __init__(self, path):
        self.model = llama.llama_model_load_from_file(str(path).encode(), llama.llama_model_default_params())
        if not self.model:
            raise ValueError(f"llama.cpp does not load {path}")
        self.vocabulary = llama.llama_model_get_vocab(self.model)
        self.size = llama.llama_vocab_n_tokens(self.vocabulary)

    def greedy(self, prompt, count):
        """So many tokens, and the logits after the prompt."""
        parameters = llama.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = len(prompt) + count
        parameters.n_threads = parameters.n_threads_batch = 1
        parameters.type_k = parameters.type_v = 0  # float32
        parameters.flash_attn_type = 0
        context = llama.llama_init_from_model(self.model, parameters)
        tokens, first, feed = [], None, list(prompt)
        while len(tokens) < count:
            ids = (ctypes.c_int32 * len(feed))(*feed)
            if llama.llama_decode(context, llama.llama_batch_get_one(ids, len(feed))) != 0:
                raise ValueError("llama_decode failed")
            logits = numpy.ctypeslib.as_array(llama.llama_get_logits_ith(context, -1), (self.size,)).copy()
            first = logits if first is None else first
            feed = [int(logits.argmax())]
            tokens += feed
        llama.llama_free(context)
        return tokens, first

    def ids(self, text):
        raw = text.encode()
        buffer = (ctypes.c_int32 * (len(raw) + 16))()
        return list(buffer[:llama.llama_tokenize(self.vocabulary, raw, len(raw), buffer, len(buffer), True, False)])


def stories_tokenizer(pieces):
    """The vocabulary of llama2.c as tokenizer.json: merges in the order of scores, as SentencePiece takes them."""
    names = ["<unk>", "<s>", "</s>"] + [piece["piece"].replace(" ", "▁") for piece in pieces[3:]]
    scores = {name: piece["score"] for name, piece in zip(names, pieces)}
    merges = [(name[:cut], name[cut:]) for name in names[259:] for cut in range(1, len(name))
              if name[:cut] in scores and name[cut:] in scores]
    merges.sort(key=lambda pair: -scores["".join(pair)])
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(
        {name: i for i, name in enumerate(names)}, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = tokenizers.normalizers.Sequence(
        [tokenizers.normalizers.Prepend("▁"), tokenizers.normalizers.Replace(" ", "▁")])
    tokenizer.decoder = tokenizers.decoders.Sequence(
        [tokenizers.decoders.Replace("▁", " "), tokenizers.decoders.ByteFallback(), tokenizers.decoders.Fuse(),
         tokenizers.decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing("<s> $A", "<s> $A <s> $B", [("<s>", 1)])
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>",
                                                unk_token="<unk>", add_bos_token=True)


def write_stories(data, folder):
    """The shared model with a tokenizer of its vocabulary; prompts."""
    model = transformers.AutoModelForCausalLM.from_pretrained(data / "hf", dtype=torch.float32)
    model.save_pretrained(folder)
    tokenizer = stories_tokenizer(json.loads((data / "tok512_vocab.json").read_text()))
    tokenizer.save_pretrained(folder)
    return [tokenizer(text).input_ids for text in OPENINGS]


def room_of(config):
    """Tokens that both compute alike: llama.cpp knows no sliding windows but Gemma's, so the files end there."""
    window = None if config.model_type.startswith("gemma") else getattr(config, "sliding_window", None)
    return min(config.max_position_embeddings, window or config.max_position_embeddings)


def random_prompts(config):
    """llama.cpp chooses longrope's factors once, by its context of at least 256 tokens: prompts are beyond the switch."""
    rope = getattr(config, "rope_parameters", None) or {}
    least = rope["original_max_position_embeddings"] if rope.get("rope_type") == "longrope" else 0
    generator = torch.Generator().manual_seed(0)
    return [torch.randint(4, config.vocab_size, (length,), generator=generator).tolist()
            for length in LENGTHS if least < length < room_of(config)]


def continuations(model, prompts):
    """What transformers generates, and the logits after each prompt."""
    found = []
    for prompt in prompts:
        ids = torch.tensor([prompt])
        new = min(NEW, room_of(model.config) - len(prompt))
        tokens = model.generate(ids, max_new_tokens=new, min_new_tokens=new, do_sample=False, pad_token_id=0, eos_token_id=None)
        with torch.no_grad():
            found.append((tokens[0, len(prompt):].tolist(), model(ids).logits[0, -1].numpy()))
    return found


class Refused(Exception):
    """hone writes no such file."""


class Comparison:
    """One model's files against what transformers makes of its directory."""

    def __init__(self, hone, folder, prompts=None):
        self.hone, self.folder = hone, folder
        model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.prompts = prompts or random_prompts(model.config)
        self.expected = continuations(model, self.prompts)
        self.tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))

    def of(self, kind):
        """(equal continuations, largest difference of a logit, texts with other ids) of a file of this type."""
        path = self.folder.parent / f"{self.folder.name}.{kind}.gguf"
        environment = {key: value for key, value in os.environ.items() if key != "LD_LIBRARY_PATH"}
        done = subprocess.run([self.hone, "export", str(self.folder), str(path), "--gguf", kind], env=environment,
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise Refused(done.stderr.strip())
        file = LlamaCpp(path)
        equal, worst = 0, 0.0
        for prompt, (tokens, logits) in zip(self.prompts, self.expected):
            found, first = file.greedy(prompt, len(tokens))
            equal += found == tokens
            worst = max(worst, float(numpy.abs(first - logits).max()))
        other = [text for text in TEXTS if file.ids(text) != self.tokenizer.encode(text).ids]
        return equal, worst, other


    def of_quantized(self):
        """The same for hone's file of type q8_0 against the one that llama.cpp makes of hone's f32 file."""
        ours, theirs = (self.folder.parent / f"{self.folder.name}.{kind}.gguf" for kind in ("q8_0", "own_q8_0"))
        parameters = llama.llama_model_quantize_default_params()
        parameters.ftype = llama.LLAMA_FTYPE_MOSTLY_Q8_0
        parameters.nthread = 1
        source = str(self.folder.parent / f"{self.folder.name}.f32.gguf").encode()
        if llama.llama_model_quantize(source, str(theirs).encode(), ctypes.byref(parameters)) != 0:
            raise ValueError("llama_model_quantize failed")
        files = LlamaCpp(ours), LlamaCpp(theirs)
        pairs = [[file.greedy(prompt, NEW) for file in files] for prompt in self.prompts]
        worst = max(float(numpy.abs(a[1] - b[1]).max()) for a, b in pairs)
        return sum(a[0] == b[0] for a, b in pairs), worst, []


def line(name, kind, result, total):
    equal, worst, other = result
    ids = f", other ids for {other}" if other else ""
    print(f"{name:24} {kind:5} {equal} of {total} continuations equal, logits within {worst:.1e}{ids}", flush=True)


def check_stories(hone, scratch):
    data = os.environ.get("HONE_TEST_DATA")
    if not data:
        print("stories260K: left out, HONE_TEST_DATA is not set")
        return True
    folder = scratch / "stories260K"
    comparison = Comparison(hone, folder, write_stories(pathlib.Path(data) / "models" / "stories260K", folder))
    good = True
    for kind in TYPES:
        result = comparison.of(kind)
        line("stories260K", kind, result, len(comparison.prompts))
        good &= (kind == "q8_0" or result[0] == len(comparison.prompts)) and not result[2]
    own = comparison.of_quantized()
    line("stories260K, own file", "q8_0", own, len(comparison.prompts))
    return good and own[0] == len(comparison.prompts)


def check_random(hone, scratch, written):
    folder = scratch / written.name
    written.save(folder)
    comparison = Comparison(hone, folder)
    for kind in TYPES:
        try:
            result = comparison.of(kind)
        except Refused as refused:
            print(f"{written.name:24} {refused}")
            return "GGUF cannot express" in str(refused)
        line(written.name, kind, result, len(comparison.prompts))
        if kind == "f32":
            table = written.name.startswith(("gemma", "gpt2"))  # of GELU: that much decides near ties of random models
            good = (table or result[0] == len(comparison.prompts)) and result[1] <= TOLERANCE and not result[2]
    return good


def main():
    hone, scratch, names = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
    torch.set_num_threads(1)
    silent = llama.llama_log_callback(lambda level, text, data: None)
    llama.llama_log_set(silent, None)
    failed = []
    if not names or "stories260K" in names:
        failed += [] if check_stories(hone, scratch) else ["stories260K"]
    for written in models_written.models().values():
        # llama.cpp's GPT-NeoX has another GELU, so hone writes no such file.
        decoder = written.model_class.__name__.endswith(("ForCausalLM", "LMHeadModel")) and not written.name.startswith("gpt_neox")
        if (written.name in names if names else decoder) and not check_random(hone, scratch, written):
            failed.append(written.name)
    if failed:
        sys.exit(f"not equal: {', '.join(failed)}")


main()
