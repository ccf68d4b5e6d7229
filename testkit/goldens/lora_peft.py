"""Adapters of the two small models as PEFT itself saves them, with the logits that it gets with them.

usage: python3 lora_peft.py packages/lora/goldens
    after lora_base.py, where the packages of requirements-lora.txt are installed
"""

import json
import pathlib
import sys
import tempfile

import peft
import safetensors.torch
import torch
import transformers

folder = pathlib.Path(sys.argv[1])
R, ALPHA = 4, 10
TARGETS = {
    "tiny-gpt2": ["c_attn", "c_proj", "c_fc"],
    "tiny-llama": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
}
ids = json.loads((folder / "base.json").read_text())["models"]["tiny-gpt2"]["ids"]
torch.manual_seed(11)


def golden(name):
    base = transformers.AutoModelForCausalLM.from_pretrained(str(folder / name), dtype=torch.float32)
    settings = peft.LoraConfig(
        task_type="CAUSAL_LM", r=R, lora_alpha=ALPHA, target_modules=TARGETS[name], fan_in_fan_out=name == "tiny-gpt2"
    )
    model = peft.get_peft_model(base, settings)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.copy_(torch.randn_like(parameter) * 0.2)
        logits = model.eval()(torch.tensor([ids])).logits[0, -1].tolist()
    with tempfile.TemporaryDirectory() as saved:
        model.save_pretrained(saved)
        tensors = safetensors.torch.load_file(f"{saved}/adapter_model.safetensors")
        config = json.loads(pathlib.Path(saved, "adapter_config.json").read_text())
    return {
        "tensors": {
            key: {"shape": list(tensor.shape), "values": tensor.contiguous().numpy().tobytes().hex()}
            for key, tensor in tensors.items()
        },
        "config": {key: config[key] for key in ["peft_type", "task_type", "bias", "fan_in_fan_out", "r", "lora_alpha"]}
        | {"target_modules": sorted(config["target_modules"])},
        "logits": [round(value, 6) for value in logits],
    }


versions = {module.__name__: module.__version__ for module in [peft, torch, transformers]}
found = {"versions": versions, "ids": ids, "models": {name: golden(name) for name in TARGETS}}
(folder / "peft.json").write_text(json.dumps(found, separators=(",", ":")) + "\n")
