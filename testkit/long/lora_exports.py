"""Last logits of one sequence: base, base with the exported PEFT adapter, and the exported merged GGUF, all by PyTorch.

usage: python3 lora_exports.py BASE PEFT_FOLDER MERGED.gguf IDS (a JSON list) > logits.json
    BASE is a GGUF file or a folder; where the packages of testkit/goldens/requirements-lora.txt are installed
"""

import json
import pathlib
import sys

import peft
import torch
import transformers

base, folder, merged = (pathlib.Path(path) for path in sys.argv[1:4])
ids = torch.tensor([json.loads(sys.argv[4])])


def load(path, **options):
    if path.suffix == ".gguf":
        return load(path.parent, gguf_file=path.name, **options)
    return transformers.AutoModelForCausalLM.from_pretrained(str(path), dtype=torch.float32, **options)


def logits(model):
    with torch.no_grad():
        return model.eval()(ids).logits[0, -1].tolist()


model = load(base)
found = {"base": logits(model)}
adapted = peft.PeftModel.from_pretrained(model, str(folder))
found["peft"] = logits(adapted)
found["adapted_modules"] = sum(name.endswith(".lora_A.default") for name, _ in adapted.named_modules())
# Of GPT-2's context length in a GGUF file transformers makes n_ctx alone: it has to be told.
found["merged"] = logits(load(merged, config=transformers.AutoConfig.from_pretrained(base) if base.is_dir() else None))
json.dump(found, sys.stdout)
