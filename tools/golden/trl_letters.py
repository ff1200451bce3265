"""What the scripts that watch TRL share: a tiny Llama that writes letters, its tokenizer, and hone's random orders."""
import tokenizers
import torch
import transformers

PAD, EOS, LETTERS = 0, 1, "abcdefghij"
MASK64 = (1 << 64) - 1


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def halves(value):
    return [value & 0xFFFFFFFF, value >> 32]


def stream_key(seed, purpose):
    value = 0xCBF29CE484222325
    for byte in purpose.encode():
        value = (value ^ byte) * 0x100000001B3 & MASK64
    mixed = philox([*halves(value), 0, 0], halves(seed))
    return mixed[1] << 32 | mixed[0]


def words(key, a, b):
    block = 0
    while True:
        yield from philox([block, b, *halves(a)], halves(key))
        block += 1


def shuffled(count, key, a, b):
    """base/random.h: Random(key, a, b).shuffle of 0 … count - 1."""
    order, stream = list(range(count)), words(key, a, b)
    for i in range(count, 1, -1):
        value = next(stream) << 32 | next(stream)
        while value < (1 << 64) % i:
            value = next(stream) << 32 | next(stream)
        j = value % i
        order[i - 1], order[j] = order[j], order[i - 1]
    return order


def make_tokenizer(folder):
    vocabulary = {"<pad>": PAD, "<eos>": EOS, **{letter: i + 2 for i, letter in enumerate(LETTERS)}}
    plain = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, []))
    plain.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = tokenizers.decoders.ByteLevel()
    plain.add_special_tokens(["<pad>", "<eos>"])
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=plain, pad_token="<pad>", eos_token="<eos>",
                                                padding_side="left")
    fast.save_pretrained(folder)
    return fast


def make_policy(generator):
    config = transformers.LlamaConfig(
        vocab_size=2 + len(LETTERS), hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=32, tie_word_embeddings=False, rms_norm_eps=1e-5,
        pad_token_id=PAD, eos_token_id=EOS, bos_token_id=None, attn_implementation="eager")
    model = transformers.AutoModelForCausalLM.from_config(config).to(torch.float32)
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            noise = torch.randn(weight.shape, generator=generator)
            weight.copy_(1 + 0.1 * noise if "norm" in name else 0.3 * noise)
        model.model.embed_tokens.weight[:, 0] = 3  # a channel that is always there …
        model.lm_head.weight[PAD] = 0
        model.lm_head.weight[PAD, 0] = -8          # … makes the padding token one that is never sampled
    return model


def numbers(values, digits=9):
    return [float(f"{value:.{digits}g}") for value in values]
