import type { RowElement, RowKind } from "../rows.ts";
import type { Service } from "./service.ts";

/** A model in a service. */
export interface Target {
  /** What stands before the protocol's own paths, as `` or `/serving/mnist`; without a slash at its end. */
  readonly root: string;
  /** The model's name, null where the protocol has none or it is not known yet. */
  readonly model: string | null;
  readonly version: string | null;
}

/** A tensor as a service's metadata names it; -1 stands for any size. */
export interface TensorSpec {
  readonly name: string;
  /** As the protocol writes it: `FP32`, `UINT8`, `DT_FLOAT`. */
  readonly datatype: string;
  /** Empty where nothing is said of it. */
  readonly shape: readonly number[];
  /** The shape is that of an example, which may have been made up. */
  readonly example?: true;
}

/** The images of one request, for what stands around them. */
export interface RequestShape {
  /** [n, …] as the layout has it. */
  readonly shape: readonly number[];
  /** What the service's metadata says of its input, null without metadata. */
  readonly input: TensorSpec | null;
  /** Unique to the request: protocols that have a field for it get it back. */
  readonly id: string;
  /** The one output that is asked for, where the protocol has a field for it; null: none is named. */
  readonly output: string | null;
}

/** One way of a protocol's to write images: a request's body is `head`, the rows joined by `separator`, and `tail`. */
export interface Form {
  /** As reports and options name it: `data`, `dataframe_split`, `binary FP32`. */
  readonly name: string;
  readonly row: RowKind;
  /** What the numbers of a row are rounded to. */
  readonly element: RowElement;
  readonly head: (request: RequestShape) => string;
  readonly separator: string;
  readonly tail: string;
  /** @param headBytes length of `head` in UTF-8 */
  readonly headers: (headBytes: number) => Readonly<Record<string, string>>;
  /** Images that one request can hold: Infinity but for protocols of one image. */
  readonly mostRows: number;
  /** Where images in this form go; absent: the protocol's `scorePath`. */
  readonly path?: (target: Target) => string;
  /** Tried only where the service says that it takes it. */
  readonly onlyWhereSaid?: true;
  /** A request can name the output that it asks for; some services give it only then, and others refuse to be asked. */
  readonly namesOutput?: true;
}

/** What came back: the body as it is, header names in lower case. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** One output of a reply. */
export interface Values {
  /** `int64`: whole numbers; `string`; `float64`: any numbers, NaN where the service gave null or a NaN token. */
  readonly type: "int64" | "float64" | "string";
  readonly dims: readonly number[];
  readonly data: Float64Array | readonly string[];
}

/** Outputs by name; a bare list has the empty name. */
export type Answer = Readonly<Record<string, Values>>;

/** What a service tells about itself. */
export interface Finding {
  /** As one phrase: `GET /v2 names kserve 0.20.0`. */
  readonly says: string;
  /** Models that it names. */
  readonly models?: readonly string[];
  readonly version?: string;
  readonly input?: TensorSpec;
  readonly outputs?: readonly TensorSpec[];
  /** Forms that it takes, as far as it says. */
  readonly forms?: readonly string[];
}

/** A request without images whose reply tells whether a service speaks a protocol, and what it holds. */
export interface Question {
  readonly path: (target: Target) => string | null;
  /** Null where the reply says nothing: another protocol, an error page. */
  readonly read: (reply: Reply, target: Target) => Finding | null;
  /** It tells more of a protocol that an earlier question found, and nothing where none did. */
  readonly more?: boolean;
  /** It is asked by POST, with an empty object. */
  readonly post?: true;
}

/** A serving API: how a request is written and a reply is read. Pure. */
export interface Protocol {
  /** As help texts name it. */
  readonly title: string;
  /** What the path of a scoring URL tells, null where it is none of this protocol's. */
  readonly fromPath: (path: string) => Target | null;
  /** Where images go. */
  readonly scorePath: (target: Target) => string;
  /** Paths that answer 200 once the service is ready, most telling first. */
  readonly readyPaths: (target: Target) => readonly string[];
  /** Asked in this order, about the service and then about the model. */
  readonly questions: readonly Question[];
  /** In the order in which they are tried. */
  readonly forms: readonly Form[];
  /**
   * Reads a reply of status 200.
   *
   * @param request an `id` of null is not looked for in the reply; its shape tells a line of n labels from a row of n scores, where a reply could be either
   * @throws ReplyError where it is not what the protocol promises, in words for users
   */
  readonly decode: (
    reply: Reply,
    request: { readonly id: string | null; readonly shape?: RequestShape["shape"] },
  ) => Answer;
  /** The service's own words on what went wrong, null where it gives none. One line of at most 300 characters, to be redacted by the caller. */
  readonly errorText: (reply: Reply) => string | null;
  /** How this program itself speaks it; absent where it does not, or where another row of the table does. */
  readonly service?: Service;
}

/** A reply of status 200 that is no answer. */
export class ReplyError extends Error {
  override readonly name: string = "ReplyError";
}

/** A reply that bears the identity of another request. */
export class OtherReplyError extends ReplyError {
  override readonly name = "OtherReplyError";
}
