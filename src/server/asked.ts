import type { IncomingHttpHeaders } from "node:http";

import { RequestError, type Asked } from "../scorer/protocols/service.ts";

/** What the numbers of a request are: already as the model wants them, or pixels. */
export const PIXEL_CHOICES = ["0-1", "0-255"] as const;
export type PixelRange = (typeof PIXEL_CHOICES)[number];

const YES_OR_NO: Readonly<Record<string, boolean>> = {
  true: true,
  "1": true,
  "": true,
  false: false,
  "0": false,
};

/**
 * What a request asks for in its query or its headers, the same for every protocol.
 *
 * @param query the part of the URL after its question mark
 * @throws RequestError
 */
export function askedOf(headers: IncomingHttpHeaders, query: string, usual: PixelRange, id: string): Asked {
  const fields = query === "" ? null : new URLSearchParams(query);
  const said = (name: string): string | null => fields?.get(name) ?? textOf(headers[`x-${name}`]);
  const range = said("pixels") ?? usual;
  const probabilities = said("probabilities");
  if (!PIXEL_CHOICES.includes(range as PixelRange)) throw wrong("pixels", range, PIXEL_CHOICES.join(" or "));
  if (probabilities !== null && !Object.hasOwn(YES_OR_NO, probabilities))
    throw wrong("probabilities", probabilities, "true or false");
  return { pixels: range === "0-255", probabilities: YES_OR_NO[probabilities ?? "false"]!, id };
}

const textOf = (value: string | string[] | undefined): string | null =>
  typeof value === "string" ? value : null;

function wrong(name: string, given: string, expected: string): RequestError {
  return new RequestError(400, `${name} is ${JSON.stringify(given.slice(0, 40))}, but must be ${expected}`);
}
