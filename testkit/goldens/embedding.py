"""Token ids and vectors of all-minilm-l6-v2-int8 by Python's tokenizers and onnxruntime: what packages/embedding must give.

usage: python3 embedding.py MODEL.onnx > packages/embedding/goldens/all-minilm-l6-v2-int8.json
    where the packages of requirements.txt are installed (tokenizers with pip's --no-deps: it needs no hub here)
"""

import hashlib
import json
import pathlib
import sys

import numpy
import onnxruntime
import tokenizers

TOKENIZER = pathlib.Path(__file__).parents[2] / "packages/embedding/all-minilm-l6-v2/tokenizer.json"
TEXTS = [
    "The office opens at nine in the morning.",
    "Parking costs 3.50 € an hour; bicycles: free!",
    "a",
    "",
    "   \t\n  spaces \u00a0 and\u3000lines\r\n",
    "Crème brûlée, naïve façade, Zürich, Łódź, İstanbul",
    "Crème brûlée in pieces: e\u0301 u\u0308",
    "It's the dog's — isn't it? \u201cYes\u201d, she said\u2026 (twice)",
    "辦公室早上九點開門。停車每小時三歐元。",
    "Русский текст, ελληνικά, עברית, العربية, ไทย, 한국어",
    "emoji 🙂🚲👩‍👩‍👧 and \U0001f1e9\U0001f1ea",
    "pneumonoultramicroscopicsilicovolcanoconiosis antidisestablishmentarianism",
    "https://example.org/a_b?c=d&e=%20f#g someone@example.org v1.2.3-rc.1",
    "[CLS] [SEP] [MASK] [PAD] [UNK] ##ing",
    "zero\u200bwidth soft\u00adhyphen nul\u0000l replacement\ufffd bell\u0007",
    "x" * 150,
    "$1,234.56 + 20% = ½ × ２０２６",
    "Borrowed books must be returned within three weeks. " * 40,
]
LONGEST = 512

tokenizer = tokenizers.Tokenizer.from_file(str(TOKENIZER))
tokenizer.no_truncation()
tokenizer.no_padding()
model = pathlib.Path(sys.argv[1]).read_bytes()
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
inputs = {given.name for given in session.get_inputs()}


def golden(text):
    ids = tokenizer.encode(text).ids
    found = {"text": text, "ids": ids}
    if len(ids) <= LONGEST:
        sequence = numpy.array([ids], dtype=numpy.int64)
        given = {
            "input_ids": sequence,
            "attention_mask": numpy.ones_like(sequence),
            "token_type_ids": numpy.zeros_like(sequence),
        }
        [states] = session.run(["last_hidden_state"], {name: value for name, value in given.items() if name in inputs})
        mean = states[0].astype(numpy.float64).mean(0)
        found["mean"] = [round(value, 6) for value in (mean / numpy.linalg.norm(mean)).tolist()]
        tokens = states[0, 1:-1].astype(numpy.float64)
        # The first numbers of each token's vector: enough to see that it is the right one.
        found["tokens"] = [[round(v, 5) for v in row[:4]] for row in (tokens / numpy.linalg.norm(tokens, axis=1, keepdims=True)).tolist()]
    return found


json.dump(
    {
        "model_sha256": hashlib.sha256(model).hexdigest(),
        "versions": {
            "python": sys.version.split()[0],
            "tokenizers": tokenizers.__version__,
            "onnxruntime": onnxruntime.__version__,
            "numpy": numpy.__version__,
        },
        "goldens": [golden(text) for text in TEXTS],
    },
    sys.stdout,
    ensure_ascii=True,
    separators=(",", ":"),
)
print()
