#!/usr/bin/env python3
"""Writes tests/golden/gguf.json: what llama.cpp's own conversion makes of the checkpoints in tests/golden/models.

usage: gguf.py LLAMA_CPP    a checkout of llama.cpp (or vendor/llama.cpp of the source package llama-cpp-python 0.3);
run it with a Python that has torch, transformers and safetensors. Vocabularies are left out: these checkpoints have none.
For each checkpoint: the architecture's keys, and shape, type and CRC-32 of each tensor's bytes.
"""
import json
import os
import pathlib
import shutil
import sys
import tempfile
import zlib

sys.path[:0] = [sys.argv[1], os.path.join(sys.argv[1], "gguf-py")]
import gguf  # noqa: E402
from conversion import ModelBase, get_model_class  # noqa: E402

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
TYPES = {"f32": gguf.LlamaFileType.ALL_F32, "f16": gguf.LlamaFileType.MOSTLY_F16,
         "bf16": gguf.LlamaFileType.MOSTLY_BF16, "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0}
# Checkpoint, what is changed in its config.json, type.
CASES = [("llama", {}, "f32"), ("llama", {}, "f16"), ("llama", {}, "bf16"), ("llama_linear", {}, "f32"),
         ("llama_yarn", {}, "f32"), ("llama_llama3", {}, "f32"), ("mistral", {}, "f32"), ("mixtral", {}, "f32"),
         ("qwen2", {}, "f32"), ("qwen3", {}, "f32"), ("qwen3_moe", {}, "f32"), ("phi3", {}, "f32"),
         ("phi3", {}, "q8_0"), ("phi3_partial", {}, "f32"), ("phi3_longrope", {}, "f32"), ("gemma", {}, "f32"),
         ("gemma2", {"query_pre_attn_scalar": 8}, "f32"), ("gemma3_text", {"query_pre_attn_scalar": 8}, "f32"),
         ("gpt2", {"n_ctx": 128}, "f32")]


def convert(name, changes, kind):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        shutil.copy(GOLDEN / "models" / name / "model.safetensors", folder)
        config = json.loads((GOLDEN / "models" / name / "config.json").read_text())
        config.update(changes)
        (folder / "config.json").write_text(json.dumps(config))
        # The one list that the conversion needs a vocabulary for cuts the embedding to the tokenizer's size.
        vocabulary = {f"t{i}": i for i in range(config["vocab_size"])}
        (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocabulary}, "added_tokens": []}))
        made = type("Converted", (get_model_class(config["architectures"][0]),),
                    {"model_arch": get_model_class(config["architectures"][0]).model_arch, "set_vocab": lambda self: None})
        made(folder, TYPES[kind], folder / "out.gguf").write()
        return read(folder / "out.gguf")


def read(path):
    reader = gguf.GGUFReader(path)
    architecture = reader.fields["general.architecture"].contents()
    keys = {key: field.contents() for key, field in reader.fields.items()
            if key.startswith(architecture + ".") or key in ("general.architecture", "general.file_type")}
    tensors = {tensor.name: {"shape": [int(size) for size in reversed(tensor.shape)], "type": tensor.tensor_type.name,
                             "crc32": zlib.crc32(tensor.data.tobytes())} for tensor in reader.tensors}
    return {"keys": keys, "tensors": tensors}


def main():
    cases = [{"model": name, "changes": changes, "type": kind, **convert(name, changes, kind)}
             for name, changes, kind in CASES]
    (GOLDEN / "gguf.json").write_text(json.dumps({"cases": cases}, indent=1) + "\n")
    print(f"{len(cases)} conversions in {GOLDEN / 'gguf.json'}")


sys.exit(main())
