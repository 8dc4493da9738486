import {
  dataTypes,
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
} from "./onnx-proto.ts";

/** A model whose maps were turned into tensors. */
export interface Unzipped {
  readonly model: ModelProto;
  /** By the output's name: the class that each of its columns is of, as a label output would call it. */
  readonly columns: ReadonlyMap<string, readonly (string | number)[]>;
}

/**
 * The same model with every output that a ZipMap makes as the tensor [n, k] that the node takes: scikit-learn's converter
 * gives the probabilities as a sequence of maps, which the runtime cannot hand out. Null where there is no such output.
 */
export function unzipped(model: ModelProto): Unzipped | null {
  const graph = model.graph ?? {};
  const outputs = new Set((graph.output ?? []).map(({ name = "" }) => name));
  const columns = new Map<string, readonly (string | number)[]>();
  for (const node of graph.node ?? []) {
    const [output = ""] = node.output ?? [];
    if (node.opType === "ZipMap" && outputs.has(output)) columns.set(output, classesOf(node));
  }
  return columns.size === 0 ? null : { model: { ...model, graph: withTensors(graph, columns) }, columns };
}

function withTensors(graph: GraphProto, columns: Unzipped["columns"]): GraphProto {
  return {
    ...graph,
    // The tensor goes by the map's name, which is the one that users know.
    node: (graph.node ?? []).map((node) => {
      const { name = "", input = [], output = [] } = node;
      return columns.has(output[0] ?? "") ? { opType: "Identity", name, input, output } : node;
    }),
    output: (graph.output ?? []).map((info) => {
      const { name = "" } = info;
      const width = columns.get(name)?.length;
      if (width === undefined) return info;
      const shape = { dim: [{ dimParam: "N" }, { dimValue: width }] };
      return { name, type: { tensorType: { elemType: dataTypes.float, shape } } };
    }),
  };
}

function classesOf({ attribute = [] }: NodeProto): readonly (string | number)[] {
  const listed = (wanted: string): AttributeProto | undefined =>
    attribute.find(({ name }) => name === wanted);
  const numbers = listed("classlabels_int64s")?.ints?.map(Number);
  const names = listed("classlabels_strings")?.strings?.map((bytes) => Buffer.from(bytes).toString("utf8"));
  return numbers ?? names ?? [];
}
