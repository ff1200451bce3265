#!/usr/bin/env python3
"""Writes tests/golden/adapters: LoRA adapters of the checkpoint tests/golden/models/llama as PEFT saves them.

usage: adapters.py          with a Python that has torch, transformers and peft
"""
import pathlib
import shutil

import peft
import torch
import transformers

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
ADAPTERS = {
    "plain": dict(r=4, lora_alpha=8, lora_dropout=0.1, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"),
    "pattern": dict(r=4, lora_alpha=8, target_modules=r"model\.layers\.[01]\.mlp\.(up|down)_proj", use_rslora=True),
    "dora": dict(r=4, lora_alpha=8, target_modules=["q_proj"], use_dora=True, layers_to_transform=[0],
                 modules_to_save=["lm_head"], rank_pattern={"q_proj": 2}, alpha_pattern={"q_proj": 16}),
    "embedding": dict(r=2, target_modules=["embed_tokens", "q_proj"]),
    "bias": dict(r=2, target_modules=["q_proj"], bias="lora_only"),
}


def main():
    for name, options in ADAPTERS.items():
        torch.manual_seed(len(name))
        base = transformers.AutoModelForCausalLM.from_pretrained(GOLDEN / "models" / "llama")
        base.name_or_path = "models/llama"
        model = peft.get_peft_model(base, peft.LoraConfig(**options))
        model.peft_config["default"].base_model_name_or_path = "models/llama"
        for parameter_name, parameter in model.named_parameters():
            if "lora_B" in parameter_name:
                torch.nn.init.normal_(parameter, std=0.02)
        place = GOLDEN / "adapters" / name
        shutil.rmtree(place, ignore_errors=True)
        model.save_pretrained(place)
        (place / "README.md").unlink(missing_ok=True)


main()
