"""Model directories as transformers writes them, one for each shape of tools/golden/architectures.py, with a tokenizer
of the family's kind, and the data to train them with."""
import copy
import dataclasses
import json
import os
import sys

import tokenizers
import torch
import transformers
from tokenizers import decoders, normalizers, pre_tokenizers, processors, trainers

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "golden"))
import architectures_decoders  # noqa: E402
import architectures_encoders  # noqa: E402
import architectures_t5  # noqa: E402
from architectures_checkpoint import redraw  # noqa: E402

VOCABULARY = 320
POSITIONS = 128
LENGTHS = [9, 15, 31]  # going up: a dynamic rotary embedding remembers the longest
PAD, BOS, EOS, UNKNOWN, MASK = range(5)
SPECIALS = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "mask_token": "<mask>"}
BERT_SPECIALS = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]",
                 "mask_token": "[MASK]"}
TEXTS = [f"{who} {what} {where}." for who in ("the cat", "a dog", "her brother", "Ångström") for what in
         ("sleeps", "runs far", "eats rice") for where in ("at home", "in the rain", "by the sea", "now")]


def write_data(folder):
    """texts.jsonl, pairs.jsonl and labelled.jsonl."""
    def write(name, rows):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    write("texts", ({"text": text} for text in TEXTS))
    write("pairs", ({"prompt": text, "completion": " ".join(reversed(text.split()))} for text in TEXTS))
    write("labelled", ({"text": text, "label": "home" if "home" in text else "away"} for text in TEXTS))


def byte_level():
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(TEXTS, trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=list(SPECIALS.values()), show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return tokenizer, SPECIALS


def byte_level_with_ends():
    tokenizer, specials = byte_level()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", EOS), ("<s>", BOS), add_prefix_space=False)
    return tokenizer, {**specials, "cls_token": "<s>", "sep_token": "</s>"}


def word_piece():
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(TEXTS, trainers.WordPieceTrainer(
        vocab_size=VOCABULARY, special_tokens=list(BERT_SPECIALS.values()), show_progress=False))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    return tokenizer, BERT_SPECIALS


def unigram():
    """As T5's: metaspace, and an end of sequence behind every text."""
    specials = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.train_from_iterator(TEXTS, trainers.UnigramTrainer(
        vocab_size=VOCABULARY, special_tokens=list(specials.values()), unk_token="<unk>", show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    return tokenizer, specials


@dataclasses.dataclass
class Written:
    """One model: how it is made, what to compute from it, and what to train it with."""
    name: str
    model_class: type
    config: transformers.PretrainedConfig
    tokenizer: object
    stages: list
    scale: float = 0.3
    mend: object = None  # changes the random model before it is saved

    @property
    def rows(self):
        generator = torch.Generator().manual_seed(5)
        draw = lambda length: torch.randint(5, self.config.vocab_size, (length,), generator=generator).tolist()
        rows = []
        rope = getattr(self.config, "rope_parameters", None) or {}
        for length in LENGTHS:
            if rope.get("rope_type") == "dynamic" and length > self.config.max_position_embeddings:
                continue  # hone stops where transformers begins to turn by other frequencies
            row = {"ids": draw(length)}
            if self.config.model_type == "bert":
                row["type_ids"] = [int(i > length // 2) for i in range(length)]
            if self.model_class is transformers.T5ForConditionalGeneration:
                row["decoder_ids"] = [0, *draw(length // 2)]
            if self.model_class is transformers.T5ForSequenceClassification:
                row["ids"][-1] = self.config.eos_token_id
            rows.append(row)
        return rows

    def save(self, folder):
        made, specials = self.tokenizer()
        self.config.vocab_size = made.get_vocab_size()
        ids = {key: made.token_to_id(specials[key]) for key in ("pad_token", "bos_token", "eos_token") if key in specials}
        for key, value in ids.items():
            setattr(self.config, f"{key}_id", value)
        model = self.model_class(self.config).eval()
        redraw(model, torch.Generator().manual_seed(3), self.scale)
        if self.mend:
            self.mend(model)
        model.save_pretrained(folder)
        transformers.PreTrainedTokenizerFast(tokenizer_object=made, **specials).save_pretrained(folder)


def decoders_of():
    for family in architectures_decoders.FAMILIES.values():
        for name, config in family.items():
            model_class = transformers.AutoModelForCausalLM._model_mapping[type(config)]
            stages = ["sft", "classify"] if name in ("llama_linear", "gpt2", "gemma2", "qwen3_moe") else ["sft"]
            yield Written(name, model_class, config, byte_level, stages, architectures_decoders.SCALES.get(name, 0.3))


def encoders_of():
    stages = {"masked_lm": ["export"], "classify": ["classify"], "base": ["classify"]}
    for family, make in architectures_encoders.CONFIGS.items():
        tokenizer = word_piece if family in ("bert", "distilbert") else byte_level_with_ends
        heads = {f"{family}_{head}": (head, {}) for head in architectures_encoders.HEADS
                 if family == "bert" or head not in ("multi_label", "regression")}
        for name, (head, more) in {**heads, **architectures_encoders.MORE[family]}.items():
            suffix, settings = architectures_encoders.HEADS[head]
            if head == "classify":
                settings = {**settings, "num_labels": 2}
            model_class = getattr(transformers, architectures_encoders.CLASSES[family] + suffix)
            config = make(**{**settings, **more})
            config.max_position_embeddings = POSITIONS
            yield Written(name, model_class, config, tokenizer, stages.get(head, []))


def t5_of():
    for name, (class_name, settings) in architectures_t5.MODELS.items():
        config = transformers.T5Config(**{**architectures_t5.SHARED, **settings})
        generates = class_name == "T5ForConditionalGeneration"
        untie = architectures_t5.untie(9) if generates and settings.get("tie_word_embeddings") is False else None
        yield Written(name, getattr(transformers, class_name), config, unigram, ["seq2seq"] if generates else [], 0.5,
                      untie)


def models():
    """By name. The configurations are copies: saving sets their vocabulary."""
    found = [written for source in (decoders_of, encoders_of, t5_of) for written in source()]
    for written in found:
        written.config = copy.deepcopy(written.config)
    return {written.name: written for written in found}
