import {
  dataTypes,
  type GraphProto,
  type ModelProto,
  type TensorProto,
  type ValueInfoProto,
} from "./onnx-proto.ts";

const FREE = "N";

/**
 * The same model for any number of images at once, or null where its batch is not fixed. Exports fix the batch in three
 * places: the input's shape, the outputs' shapes, and the constant shapes of Reshape nodes. The caller must hold the
 * result against the original, because a graph may use its batch size for something else.
 */
export function freeBatch(model: ModelProto, inputName: string): ModelProto | null {
  const { graph } = model;
  const input = graph?.input?.find(({ name }) => name === inputName);
  const batch = input?.type?.tensorType?.shape?.dim?.[0]?.dimValue;
  if (!graph || batch === undefined || batch < 1) return null;
  const shapes = reshapeInputs(graph);
  const free = (info: ValueInfoProto): ValueInfoProto => withFreeBatch(info, batch);
  // Inferred shapes in between name the old batch, and the runtime infers them again.
  const { valueInfo: _inferred, ...rest } = graph;
  const freed: GraphProto = {
    ...rest,
    input: (graph.input ?? []).map((info) => (info.name === inputName ? free(info) : info)),
    output: (graph.output ?? []).map(free),
    initializer: (graph.initializer ?? []).map((tensor) =>
      shapes.has(tensor.name ?? "") ? withFreeShape(tensor, batch) : tensor,
    ),
    node: (graph.node ?? []).map((node) =>
      node.opType === "Constant" && shapes.has(node.output?.[0] ?? "")
        ? {
            ...node,
            attribute: (node.attribute ?? []).map((attribute) =>
              attribute.t ? { ...attribute, t: withFreeShape(attribute.t, batch) } : attribute,
            ),
          }
        : node,
    ),
  };
  return { ...model, graph: freed };
}

/** Names of the tensors that say what shape a Reshape gives. */
function reshapeInputs(graph: GraphProto): ReadonlySet<string> {
  const nodes = graph.node ?? [];
  return new Set(nodes.filter(({ opType }) => opType === "Reshape").map(({ input }) => input?.[1] ?? ""));
}

function withFreeBatch(info: ValueInfoProto, batch: number): ValueInfoProto {
  const tensorType = info.type?.tensorType;
  const [first, ...others] = tensorType?.shape?.dim ?? [];
  if (!tensorType || first?.dimValue !== batch) return info;
  return {
    ...info,
    type: { ...info.type, tensorType: { ...tensorType, shape: { dim: [{ dimParam: FREE }, ...others] } } },
  };
}

/** [batch, …] becomes [−1, …] (whatever is left), or [0, …] (as the input's) where −1 is taken. */
function withFreeShape(tensor: TensorProto, batch: number): TensorProto {
  const sizes = int64s(tensor);
  if (tensor.dataType !== dataTypes.int64 || sizes.length < 2 || sizes[0] !== batch) return tensor;
  const { rawData: _raw, int64Data: _data, ...rest } = tensor;
  return { ...rest, int64Data: [sizes.includes(-1) ? 0 : -1, ...sizes.slice(1)] };
}

function int64s({ rawData, int64Data }: TensorProto): number[] {
  if (rawData === undefined) return Array.from(int64Data ?? [], Number);
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  return Array.from({ length: rawData.length / 8 }, (_, i) => Number(view.getBigInt64(i * 8, true)));
}
