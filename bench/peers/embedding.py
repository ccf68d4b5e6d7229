"""One run of sentence-transformers' ONNX backend: encodes texts, and prints what it took.

usage: embedding.py < {"model", "tokenizer", "texts": [string], "threads", "batch"}  > one JSON object
"""

import json
import pathlib
import shutil
import sys
import tempfile
import time

import onnxruntime
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Pooling, Transformer
from transformers import BertConfig, BertTokenizerFast

LONGEST = 512


def load(folder, given):
    """What a hub would give beside the model's file: its architecture and its tokenizer."""
    BertConfig(
        hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536, max_position_embeddings=512
    ).save_pretrained(folder)
    BertTokenizerFast(tokenizer_file=given["tokenizer"], model_max_length=LONGEST).save_pretrained(folder)
    shutil.copy(given["model"], pathlib.Path(folder) / "model.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = given["threads"]
    files = {"file_name": "model.onnx", "provider": "CPUExecutionProvider", "session_options": options}
    transformer = Transformer(folder, max_seq_length=LONGEST, backend="onnx", model_kwargs=files)
    return SentenceTransformer(modules=[transformer, Pooling(384, "mean")], device="cpu")


def main():
    given = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        model = load(folder, given)
        encode = lambda texts: model.encode(
            texts, batch_size=given["batch"], normalize_embeddings=True, show_progress_bar=False
        )
        encode(given["texts"][: 2 * given["batch"]])  # warm
        wall, processor = time.perf_counter(), time.process_time()
        vectors = encode(given["texts"])
        seconds, processor_seconds = time.perf_counter() - wall, time.process_time() - processor
    json.dump({"seconds": seconds, "processor_seconds": processor_seconds, "vectors": vectors.tolist()}, sys.stdout)


main()
