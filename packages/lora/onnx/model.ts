import { Message } from "./protobuf.ts";

/** The element types of ONNX tensors that the trainer uses, by their numbers in onnx.proto. */
export const ELEMENT = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float64: 11 } as const;
export type Element = keyof typeof ELEMENT;

export type Attribute = { int: number } | { float: number } | { ints: readonly number[] } | { text: string };

export interface OnnxNode {
  operator: string;
  /** Microsoft's operators stand in "com.microsoft"; ONNX's own in "". */
  domain?: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes?: Readonly<Record<string, Attribute>>;
}

export interface TensorInfo {
  name: string;
  element: Element;
  shape: readonly number[];
}

/** A constant: its bytes within the model, or their place in a file that stands beside it. */
export type Initializer = TensorInfo & ({ bytes: Uint8Array } | { file: string; offset: number; length: number });

export interface OnnxModel {
  nodes: readonly OnnxNode[];
  inputs: readonly TensorInfo[];
  outputs: readonly TensorInfo[];
  initializers: readonly Initializer[];
}

const IR_VERSION = 10;
const OPSET = 21;
const MICROSOFT_OPSET = 1;
const ATTRIBUTE_TYPE = { float: 1, int: 2, text: 3, ints: 7 } as const;
const EXTERNAL = 1;

/** The bytes of a ModelProto (onnx.proto, IR version 10, opset 21). */
export function encodeModel(model: OnnxModel): Uint8Array {
  const graph = new Message().text(2, "training");
  for (const node of model.nodes) graph.message(1, nodeProto(node));
  for (const initializer of model.initializers) graph.message(5, tensorProto(initializer));
  for (const input of model.inputs) graph.message(11, valueInfo(input));
  for (const output of model.outputs) graph.message(12, valueInfo(output));
  return new Message()
    .integer(1, IR_VERSION)
    .text(2, "caigun-lora")
    .message(7, graph)
    .message(8, new Message().text(1, "").integer(2, OPSET))
    .message(8, new Message().text(1, "com.microsoft").integer(2, MICROSOFT_OPSET))
    .encode();
}

function nodeProto(node: OnnxNode): Message {
  const message = new Message();
  for (const input of node.inputs) message.text(1, input);
  for (const output of node.outputs) message.text(2, output);
  message.text(3, `${node.operator}:${node.outputs[0]}`).text(4, node.operator);
  for (const [name, attribute] of Object.entries(node.attributes ?? {}))
    message.message(5, attributeProto(name, attribute));
  return message.text(7, node.domain ?? "");
}

function attributeProto(name: string, attribute: Attribute): Message {
  const message = new Message().text(1, name);
  if ("float" in attribute) return message.float(2, attribute.float).integer(20, ATTRIBUTE_TYPE.float);
  if ("int" in attribute) return message.integer(3, attribute.int).integer(20, ATTRIBUTE_TYPE.int);
  if ("text" in attribute) return message.text(4, attribute.text).integer(20, ATTRIBUTE_TYPE.text);
  for (const value of attribute.ints) message.integer(8, value);
  return message.integer(20, ATTRIBUTE_TYPE.ints);
}

function tensorProto(tensor: Initializer): Message {
  const message = new Message();
  for (const size of tensor.shape) message.integer(1, size);
  message.integer(2, ELEMENT[tensor.element]).text(8, tensor.name);
  if ("bytes" in tensor) return message.bytes(9, tensor.bytes);
  const place = { location: tensor.file, offset: String(tensor.offset), length: String(tensor.length) };
  for (const [key, value] of Object.entries(place)) message.message(13, new Message().text(1, key).text(2, value));
  return message.integer(14, EXTERNAL);
}

function valueInfo({ name, element, shape }: TensorInfo): Message {
  const dimensions = new Message();
  for (const size of shape) dimensions.message(1, new Message().integer(1, size));
  const tensorType = new Message().integer(1, ELEMENT[element]).message(2, dimensions);
  return new Message().text(1, name).message(2, new Message().message(1, tensorType));
}
