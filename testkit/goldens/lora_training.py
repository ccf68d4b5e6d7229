"""What PyTorch and PEFT compute for an adapter on the two small models: logits, gradients, ten steps of AdamW.

usage: python3 lora_training.py packages/lora/goldens
    after lora_base.py, where the packages of requirements-lora.txt are installed
"""

import base64
import json
import math
import pathlib
import sys

import numpy
import peft
import torch
import transformers

folder = pathlib.Path(sys.argv[1])
R, ALPHA, STEPS, LEARNING_RATE, WEIGHT_DECAY, MAX_NORM = 4, 8, 10, 1e-2, 0.01, 1.0
BATCH, LENGTH = 2, 12

GPT2 = {"attn_qkv": "attn.c_attn", "attn_output": "attn.c_proj", "ffn_up": "mlp.c_fc", "ffn_down": "mlp.c_proj"}
LLAMA = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def encoded(tensors):
    numbers = numpy.concatenate([t.detach().numpy().astype(numpy.float32).ravel() for t in tensors])
    return base64.b64encode(numbers.tobytes()).decode()


def golden(name, roles, layers, prefix):
    base = transformers.AutoModelForCausalLM.from_pretrained(folder / name, dtype=torch.float32, attn_implementation="eager")
    settings = peft.LoraConfig(
        r=R,
        lora_alpha=ALPHA,
        target_modules=list(roles.values()),
        lora_dropout=0.0,
        task_type="CAUSAL_LM",
        fan_in_fan_out=name == "tiny-gpt2",
    )
    model = peft.get_peft_model(base, settings)
    trained = dict(model.named_parameters())
    names, factors = [], []
    for layer in range(layers):
        for role, module in roles.items():
            names.append(f"blk.{layer}.{role}.weight")
            for letter in "AB":
                factors.append(trained[f"base_model.model.{prefix}.{layer}.{module}.lora_{letter}.default.weight"])
    # Both factors away from zero, so that every gradient is.
    with torch.no_grad():
        at = 0
        for factor in factors:
            places = torch.arange(at, at + factor.numel(), dtype=torch.float64)
            factor.copy_((0.1 * torch.sin(places * 0.7 + 0.3)).to(torch.float32).reshape(factor.shape))
            at += factor.numel()
    assert at == sum(p.numel() for p in model.parameters() if p.requires_grad)

    vocabulary = base.config.vocab_size
    tokens = torch.tensor([[(17 * (row + 1) * (place + 3)) % vocabulary for place in range(LENGTH)] for row in range(BATCH)])
    parameters = encoded(factors)
    optimizer = torch.optim.AdamW(factors, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, eps=1e-8)
    losses, norms = [], []
    for step in range(STEPS):
        optimizer.zero_grad()
        logits = model(tokens).logits
        loss = torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, vocabulary), tokens[:, 1:].reshape(-1))
        loss.backward()
        if step == 0:
            first = {"logits": encoded([logits]), "gradients": encoded([factor.grad for factor in factors])}
        losses.append(loss.item())
        norms.append(torch.nn.utils.clip_grad_norm_(factors, MAX_NORM).item())
        optimizer.step()
    assert all(math.isfinite(loss) for loss in losses)
    return {"names": names, "tokens": tokens.tolist(), "parameters": parameters, **first, "losses": losses, "norms": norms}


settings = {
    "r": R,
    "alpha": ALPHA,
    "learningRate": LEARNING_RATE,
    "weightDecay": WEIGHT_DECAY,
    "maxGradientNorm": MAX_NORM,
    "versions": {package.__name__: package.__version__ for package in (torch, transformers, peft)},
}
models = {
    "tiny-gpt2": golden("tiny-gpt2", GPT2, 2, "transformer.h"),
    "tiny-llama": golden("tiny-llama", LLAMA, 2, "model.layers"),
}
(folder / "training.json").write_text(json.dumps({**settings, "models": models}) + "\n")
