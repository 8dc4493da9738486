import type { Layout } from "../../types.ts";
import { inputPlans } from "../adapter.ts";
import { shownUrl } from "../http/secrets.ts";
import type { Images } from "../onnx.ts";
import type { Form, TensorSpec } from "../protocols/protocol.ts";
import { ROWS } from "../rows.ts";
import { scoreUrl, type Candidate } from "./discover.ts";
import type { EndpointOptions } from "./options.ts";
import type { Way } from "./requests.ts";
import { createWriter, type WriterPlan } from "./writer.ts";

/** A way to write images, before it is known whether the service takes them so. */
export interface Tried {
  readonly way: Way;
  readonly writerPlan: WriterPlan;
}

/** A service of which nothing is known: the tutorial's shape first. */
const UNKNOWN_LAYOUTS: readonly Layout[] = ["flat", "nchw", "nhwc", "nhw"];
const DATATYPES: Readonly<Record<string, WriterPlan["type"]>> = {
  FP32: "float32",
  DT_FLOAT: "float32",
  FP64: "float64",
  DT_DOUBLE: "float64",
  UINT8: "uint8",
  DT_UINT8: "uint8",
};

/** Every way to write images that makes sense, most likely first: all forms flat before any other layout. */
export function* ways(
  candidates: readonly Candidate[],
  options: EndpointOptions,
  images: Images,
): Generator<Tried> {
  for (const candidate of candidates) {
    const plans = forms(candidate).flatMap((form) =>
      plansFor(candidate, form, images, options)
        .flatMap((plan) => (plan.output === null ? [plan] : [plan, { ...plan, output: null }]))
        .map((plan, order) => ({ form, plan, order })),
    );
    for (const { form, plan } of plans.sort((a, b) => a.order - b.order)) {
      const url =
        form.path === undefined ? candidate.url : scoreUrl(candidate.url, form.path(candidate.target));
      yield {
        way: {
          candidate: { ...candidate, url },
          writer: createWriter(form, plan, images.shape, options.requestImages),
          learned: { echoesId: null, redirected: null },
        },
        writerPlan: plan,
      };
    }
  }
}

function forms({ protocol, finding }: Candidate): readonly Form[] {
  const said = protocol.forms.filter(({ name }) => finding.forms?.includes(name) ?? false);
  const usable =
    said.length > 0 ? said : protocol.forms.filter(({ onlyWhereSaid }) => onlyWhereSaid !== true);
  const wanted = finding.input && DATATYPES[finding.input.datatype];
  const fitting = usable.filter(({ element }) => element === wanted);
  return fitting.length > 0 ? fitting : usable;
}

function plansFor(
  candidate: Candidate,
  { element, row, namesOutput }: Form,
  images: Images,
  { layout: wanted, output }: EndpointOptions,
): WriterPlan[] {
  const input = candidate.finding.input ?? null;
  const asked = namesOutput === true ? output : null;
  const common = { type: element, input, output: asked, fixedBatch: null, filled: false };
  if (ROWS[row].picture) return [{ ...common, layout: "nhw", channels: 1, turned: false }];
  if (input === null || input.shape.length === 0 || isMadeUp(input, images)) {
    const layouts = wanted === "auto" ? UNKNOWN_LAYOUTS : [wanted];
    return layouts.map((layout) => ({ ...common, layout, channels: 1, turned: false }));
  }
  const shape = input.shape.map((size) => (size < 0 ? "" : size));
  const metadata = [{ name: input.name, isTensor: true, type: element, shape }] as const;
  const plans = inputPlans(shownUrl(candidate.url), metadata, images.shape, wanted, null).map(
    ({ layout, channels, turned, fixedBatch }) => ({ ...common, layout, channels, turned, fixedBatch }),
  );
  // What a service says that it takes comes first; some take less.
  return plans.flatMap((plan) => (takesSeveral(plan) ? [{ ...plan, filled: true }, plan] : [plan]));
}

/** An example that is no image of the data set's tells nothing of the shape. */
function isMadeUp({ shape, example }: TensorSpec, { shape: [height, width] }: Images): boolean {
  return example === true && shape.slice(1).reduce((size, n) => size * n, 1) % (height * width) !== 0;
}

function takesSeveral({ fixedBatch }: WriterPlan): boolean {
  return fixedBatch !== null && fixedBatch > 1;
}
