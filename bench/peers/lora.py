"""LoRA with PyTorch and PEFT, a step each time a line comes in; prints each step's loss as a line of JSON.

usage: lora.py GIVEN, a file of JSON: {"base", "tokens": [[int]], "r", "alpha", "learning_rate", "threads", "bf16"}
"""

import json
import os
import sys

os.environ["TQDM_DISABLE"] = "1"

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM


def main():
    with open(sys.argv[1]) as file:
        given = json.load(file)
    torch.manual_seed(1)
    torch.set_num_threads(given["threads"])
    folder, name = os.path.split(given["base"])
    base = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32)
    # Every linear layer but the output embedding, as PEFT does for "all-linear".
    config = LoraConfig(r=given["r"], lora_alpha=given["alpha"], target_modules="all-linear", lora_dropout=0.0)
    model = get_peft_model(base, config)
    model.train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=given["learning_rate"], weight_decay=0.0)
    tokens = torch.tensor(given["tokens"])
    while True:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=given["bf16"]):
            loss = model(input_ids=tokens, labels=tokens, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        print(json.dumps({"loss": loss.item()}), flush=True)
        if sys.stdin.readline() == "":
            return


main()
