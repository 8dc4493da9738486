/** How one image is written in a request. */
export type RowKind = "json" | "json-flat" | "csv" | "float32" | "uint8" | "png" | "png-base64";
