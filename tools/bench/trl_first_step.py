#!/usr/bin/env python3
"""One training step of TRL's SFTTrainer on a model of the quick start's shape: trl_first_step.py TOKENIZER_DIR FILE

FILE gets a line when the step is done; what it took from the start of the program is for the caller to see.
"""
import sys
import tempfile

from datasets import Dataset
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, TrainerCallback
from trl import SFTConfig, SFTTrainer


class Report(TrainerCallback):
    def on_step_end(self, *_, **__):
        with open(sys.argv[2], "w") as file:
            file.write("grad_norm\n")


tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
config = LlamaConfig(vocab_size=len(tokenizer), hidden_size=128, num_hidden_layers=4, num_attention_heads=4,
                     num_key_value_heads=4, intermediate_size=384, max_position_embeddings=64)
rows = Dataset.from_list([{"text": f"{i % 10}+{i // 10 % 10}={i % 10 + i // 10 % 10}"} for i in range(256)])
with tempfile.TemporaryDirectory() as folder:
    settings = SFTConfig(output_dir=folder, per_device_train_batch_size=256, max_steps=1, max_length=32, learning_rate=1e-3,
                         use_cpu=True, report_to=[], save_strategy="no", disable_tqdm=True, gradient_checkpointing=False,
                         bf16=False)
    SFTTrainer(model=LlamaForCausalLM(config), args=settings, train_dataset=rows, processing_class=tokenizer,
               callbacks=[Report()]).train()
