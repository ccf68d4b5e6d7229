"""Small GPT-2 and Llama models as transformers saves them, and what packages/lora must read from them and from blocks.

usage: python3 lora_base.py packages/lora/goldens
    where the packages of requirements-lora.txt are installed
"""

import hashlib
import json
import pathlib
import sys

import gguf
import numpy
import tokenizers
import torch
import transformers

folder = pathlib.Path(sys.argv[1])
torch.manual_seed(7)
random = numpy.random.default_rng(7)
SPECIAL = "<|endoftext|>"
CORPUS = [
    "The office opens at nine in the morning, and closes at five in the afternoon.",
    "Parking costs three euros an hour; bicycles are free of charge.",
    "Borrowed books must be returned within three weeks.",
    "辦公室早上九點開門。停車每小時三歐元。",
]

# A byte-level tokenizer as both families have it.
tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = tokenizers.decoders.ByteLevel()
trainer = tokenizers.trainers.BpeTrainer(
    vocab_size=320,
    special_tokens=[SPECIAL],
    initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
    show_progress=False,
)
tokenizer.train_from_iterator(CORPUS, trainer)
VOCABULARY = tokenizer.get_vocab_size()
SENTENCE = tokenizer.encode("The office is free of charge at five.").ids


def sha256(tensor):
    return hashlib.sha256(tensor.detach().float().contiguous().numpy().tobytes()).hexdigest()


GPT2_LAYER = {
    "attn_norm": "ln_1",
    "attn_qkv": "attn.c_attn",
    "attn_output": "attn.c_proj",
    "ffn_norm": "ln_2",
    "ffn_up": "mlp.c_fc",
    "ffn_down": "mlp.c_proj",
}
LLAMA_LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def canonical(model):
    """Each weight under llama.cpp's name; linear ones as (out, in)."""
    found = {}

    def add(name, module):
        weight = module.weight.T if isinstance(module, transformers.pytorch_utils.Conv1D) else module.weight
        found[f"{name}.weight"] = weight
        if getattr(module, "bias", None) is not None:
            found[f"{name}.bias"] = module.bias

    inner = model.base_model
    is_gpt2 = model.config.model_type == "gpt2"
    add("token_embd", model.get_input_embeddings())
    if is_gpt2:
        add("position_embd", inner.wpe)
    for index, layer in enumerate(inner.h if is_gpt2 else inner.layers):
        for ours, theirs in (GPT2_LAYER if is_gpt2 else LLAMA_LAYER).items():
            add(f"blk.{index}.{ours}", layer.get_submodule(theirs))
    add("output_norm", inner.ln_f if is_gpt2 else inner.norm)
    if not model.config.tie_word_embeddings:
        add("output", model.lm_head)
    return {name: {"shape": list(weight.shape), "sha256": sha256(weight)} for name, weight in found.items()}


def save(name, model, dtype):
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.1)
    model = model.to(dtype)
    model.save_pretrained(folder / name)
    tokenizer.save(str(folder / name / "tokenizer.json"))
    (folder / name / "generation_config.json").unlink(missing_ok=True)
    with torch.no_grad():
        logits = model.float()(torch.tensor([SENTENCE])).logits[0]
    return {
        "tensors": canonical(model),
        "ids": SENTENCE,
        "logits": [[round(value, 6) for value in row] for row in logits[-2:].tolist()],
    }


ends = {"bos_token_id": 0, "eos_token_id": 0}
models = {
    "tiny-gpt2": save(
        "tiny-gpt2",
        transformers.GPT2LMHeadModel(
            transformers.GPT2Config(vocab_size=VOCABULARY, n_positions=64, n_embd=16, n_layer=2, n_head=2, **ends)
        ),
        torch.float32,
    ),
    "tiny-llama": save(
        "tiny-llama",
        transformers.LlamaForCausalLM(
            transformers.LlamaConfig(
                vocab_size=VOCABULARY,
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=4,
                num_key_value_heads=2,
                max_position_embeddings=64,
                rope_theta=50000.0,
                tie_word_embeddings=False,
                **ends,
            )
        ),
        torch.bfloat16,
    ),
}

blocks = {}
for name in ["F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q6_K"]:
    kind = gguf.GGMLQuantizationType[name]
    values, size = gguf.GGML_QUANT_SIZES[kind]
    if name == "Q6_K":  # the package can't write these: any bytes are a block, but for the scale
        scales = random.normal(0, 0.01, (3, 1)).astype(numpy.float16).view(numpy.uint8)
        raw = numpy.concatenate([random.integers(0, 256, (3, size - 2), dtype=numpy.uint8), scales], axis=1)
    else:
        raw = gguf.quants.quantize(random.normal(0, 1, (3, 256)).astype(numpy.float32), kind)
    raw = numpy.ascontiguousarray(raw).view(numpy.uint8)
    read = gguf.quants.dequantize(raw.view(numpy.float16) if name == "F16" else raw, kind)
    assert read.shape == (3, 256), read.shape
    blocks[name] = {"bytes": raw.tobytes().hex(), "values": read.astype(numpy.float32).tobytes().hex()}

versions = {module.__name__: module.__version__ for module in [torch, transformers, tokenizers, numpy]}
versions["python"] = sys.version.split()[0]
versions["gguf"] = __import__("importlib.metadata").metadata.version("gguf")
(folder / "base.json").write_text(
    json.dumps({"versions": versions, "models": models, "blocks": blocks}, separators=(",", ":")) + "\n"
)
