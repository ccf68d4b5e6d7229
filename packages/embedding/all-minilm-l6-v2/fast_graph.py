"""Writes a graph that computes all-minilm-l6-v2-int8 in integers and takes its weights from the model's own file.

The file that pip brings keeps its weights in int8 and multiplies in float32. This graph has the same weights, and
quantises the activations too, each token's by its own largest value: a token's vectors depend on nothing that stands
beside its text. Attention and GELU are ONNX Runtime's fused ones. Every tensor of 1 KB or more is named by
its place in the model's file (ONNX external data), which a session gets as externalData `model.onnx`.

Activations are quantised to 7 bits, 0 to 127. With 8 bits, processors without VNNI would compute something else: they add
two products of an unsigned and a signed byte in 16 bits (VPMADDUBSW), and 255 * 127 * 2 does not fit there; 127 * 128 * 2
does. LIMITS.onnx multiplies the largest numbers that there can be, for a test.

usage: python3 fast_graph.py MODEL.onnx GRAPH.onnx LIMITS.onnx   (pip install onnx==1.23.2 numpy==2.4.6)
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LAYERS, HEADS, WIDTH = 6, 12, 384
LEAST_EXTERNAL_BYTES = 1024
MICROSOFT = "com.microsoft"
LARGEST = 127
# Where 0 lies among 0 to 127: in the middle, or near the start where the numbers are GELU's, which are -0.17 or more.
MIDDLE, AFTER_GELU = 64, 8
LEAST_OF_GELU = -0.17
LIMITS_INPUTS, LIMITS_OUTPUTS = 64, 16


class Graph:
    """Nodes and tensors, and what has been quantised already."""

    def __init__(self):
        self.nodes, self.tensors, self.quantised = [], {}, {}

    def constant(self, name, array):
        self.tensors.setdefault(name, numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, operator, inputs, output=None, domain="", **attributes):
        output = output or f"value_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], domain=domain, **attributes))
        return output

    def quantise(self, x, zero_point):
        """Each row by its own largest value: that, the integers, and what is needed to turn these back."""
        if x not in self.quantised:
            steps = LARGEST - zero_point
            unit = self.constant(f"unit_{steps}", np.array(1 / steps, np.float32))
            zero = self.constant(f"zero_{zero_point}", np.array(zero_point, np.uint8))
            if zero_point == MIDDLE:
                largest = self.node("ReduceMax", [self.node("Abs", [x])], axes=[-1], keepdims=1)
            else:
                # So that its least number finds place below zero.
                least = self.constant("least_range", np.array([-LEAST_OF_GELU * steps / zero_point], np.float32))
                largest = self.node("Max", [self.node("ReduceMax", [x], axes=[-1], keepdims=1), least])
            integers = self.node("QuantizeLinear", [self.node("Div", [x, largest]), unit, zero])
            self.quantised[x] = (largest, integers, unit, zero)
        return self.quantised[x]

    def linear(self, x, weights, scales, bias, zero_point=MIDDLE):
        largest, integers, unit, zero = self.quantise(x, zero_point)
        product = self.node("MatMulIntegerToFloat", [integers, weights, unit, scales, zero], domain=MICROSOFT)
        return self.node("Add", [self.node("Mul", [product, largest]), bias])

    def write(self, path, name, inputs, outputs):
        graph = helper.make_graph(self.nodes, name, inputs, outputs, list(self.tensors.values()))
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)]
        with open(path, "wb") as file:
            file.write(helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString())


def minilm(model_path):
    stored = {t.name: numpy_helper.to_array(t) for t in onnx.load(model_path).graph.initializer}
    # In the order of computing: query, key, value and output of attention, then the two of the feed-forward network.
    matrices = [name.removesuffix("_q") for name, t in stored.items() if name.startswith("val_") and t.dtype == np.int8]
    assert len(matrices) == 6 * LAYERS
    graph = Graph()

    def given(name):
        return graph.constant(name, stored[name])

    def table(name, rows):
        integers = graph.node("Gather", [given(f"{name}_q"), rows])
        values = graph.node("Cast", [integers], to=TensorProto.FLOAT)
        scales = given(f"{name}_scale")
        is_of_rows = stored[scales].shape[0] > 1
        return graph.node("Mul", [values, graph.node("Gather", [scales, rows]) if is_of_rows else scales])

    def linear(x, matrix, bias, zero_point=MIDDLE):
        scales = graph.constant(f"{matrix}_scale", stored[f"{matrix}_scale"].reshape(-1))
        return graph.linear(x, given(f"{matrix}_q"), scales, given(bias), zero_point)

    # In nodes that ONNX Runtime does not fuse: its fused one takes three times as long.
    def add_and_normalise(x, change, name, output=None):
        total = graph.node("Add", [x, change])
        centred = graph.node("Sub", [total, graph.node("ReduceMean", [total], axes=[-1], keepdims=1)])
        length = graph.node("ReduceL2", [centred], axes=[-1], keepdims=1)
        deviation = graph.node("Mul", [length, graph.constant("per_length", np.array(WIDTH**-0.5, np.float32))])
        scaled = graph.node("Mul", [graph.node("Div", [centred, deviation]), given(f"{name}.weight")])
        return graph.node("Add", [scaled, given(f"{name}.bias")], output)

    length = graph.node("Squeeze", [graph.node("Shape", ["input_ids"], start=1, end=2)])
    zero, one = (graph.constant(f"{name}_int64", np.array(value, np.int64)) for name, value in (("zero", 0), ("one", 1)))
    positions = graph.node("Range", [zero, length, one])
    embeddings = "inner.embeddings"
    # Every text is one segment.
    segment = graph.constant("segment", stored[f"{embeddings}.token_type_embeddings.weight"][:1])
    places = graph.node("Add", [table(f"{embeddings}.position_embeddings.weight", positions), segment])
    x = add_and_normalise(table(f"{embeddings}.word_embeddings.weight", "input_ids"), places, f"{embeddings}.LayerNorm")
    for layer in range(LAYERS):
        name = f"inner.encoder.layer.{layer}"
        query, key, value, output, widen, narrow = matrices[6 * layer : 6 * layer + 6]
        heads = [
            linear(x, matrix, f"{name}.attention.self.{role}.bias")
            for matrix, role in ((query, "query"), (key, "key"), (value, "value"))
        ]
        attention = graph.node("MultiHeadAttention", heads, domain=MICROSOFT, num_heads=HEADS)
        attended = linear(attention, output, f"{name}.attention.output.dense.bias")
        x = add_and_normalise(x, attended, f"{name}.attention.output.LayerNorm")
        wide = graph.node("Gelu", [linear(x, widen, f"{name}.intermediate.dense.bias")], domain=MICROSOFT)
        last = "last_hidden_state" if layer == LAYERS - 1 else None
        narrowed = linear(wide, narrow, f"{name}.output.dense.bias", AFTER_GELU)
        x = add_and_normalise(x, narrowed, f"{name}.output.LayerNorm", last)
    take_from_file(graph.tensors.values(), open(model_path, "rb").read())
    return graph


def take_from_file(tensors, model_bytes):
    for tensor in tensors:
        content = tensor.raw_data
        at = model_bytes.find(content) if len(content) >= LEAST_EXTERNAL_BYTES else -1
        if at < 0:
            continue
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", "model.onnx"), ("offset", str(at)), ("length", str(len(content)))):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value


def limits():
    """Both kinds of product with nothing but the largest weights: the first half of the columns negative, the rest positive."""
    graph = Graph()
    signs = np.where(np.arange(LIMITS_OUTPUTS) < LIMITS_OUTPUTS // 2, -128, 127).astype(np.int8)
    weights = graph.constant("weights", np.tile(signs, (LIMITS_INPUTS, 1)))
    scales = graph.constant("scales", np.ones(LIMITS_OUTPUTS, np.float32))
    bias = graph.constant("bias", np.zeros(LIMITS_OUTPUTS, np.float32))
    for zero_point, output in ((MIDDLE, "product"), (AFTER_GELU, "product_after_gelu")):
        graph.node("Identity", [graph.linear("x", weights, scales, bias, zero_point)], output)
        graph.quantised.clear()
    return graph


def tensor_info(name, kind, *shape):
    return helper.make_tensor_value_info(name, kind, shape)


model, graph_path, limits_path = sys.argv[1:]
minilm(model).write(
    graph_path,
    "all-minilm-l6-v2-int8",
    [tensor_info("input_ids", TensorProto.INT64, 1, "T")],
    [tensor_info("last_hidden_state", TensorProto.FLOAT, 1, "T", WIDTH)],
)
limits().write(
    limits_path,
    "limits",
    [tensor_info("x", TensorProto.FLOAT, "T", LIMITS_INPUTS)],
    [tensor_info(name, TensorProto.FLOAT, "T", LIMITS_OUTPUTS) for name in ("product", "product_after_gelu")],
)
