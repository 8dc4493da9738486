import findMyWay, { type HTTPMethod } from "find-my-way";

import type { Fact, ServedModel, Service, ServiceReply } from "../scorer/protocols/service.ts";
import { jsonReply } from "../scorer/protocols/service.ts";
import { PROTOCOLS } from "../scorer/protocols/table.ts";
import type { Protocol } from "../scorer/protocols/protocol.ts";

/** What a path is for. */
export type Route =
  | { readonly kind: "score"; readonly path: string; readonly service: Service }
  | { readonly kind: "fact"; readonly path: string; readonly service: Service; readonly fact: Fact }
  | { readonly kind: "metrics"; readonly path: string };

export interface Routes {
  find(method: string, path: string): Route | null;
  /** The methods that a path is there for; none: it is not there. */
  methods(path: string): readonly string[];
  /** An error in the words of the protocol that the path is of. */
  error(path: string, status: number, message: string): ServiceReply;
}

const METRICS = "/metrics";
const METHODS = ["GET", "POST"] as const;

const SERVICES = Object.values<Protocol>(PROTOCOLS).flatMap(({ service }) => service ?? []);

/** Every path of every protocol, for one model. */
export function routesOf(model: ServedModel): Routes {
  const router = findMyWay();
  const add = (method: HTTPMethod, route: Route): void =>
    // A colon would start a parameter.
    router.on(method, route.path.replaceAll(":", "::"), ignored, route);
  for (const service of SERVICES) {
    for (const path of service.scorePaths(model)) add("POST", { kind: "score", path, service });
    for (const fact of service.facts) {
      for (const path of fact.paths(model)) add("GET", { kind: "fact", path, service, fact });
    }
  }
  add("GET", { kind: "metrics", path: METRICS });
  const find = (method: string, path: string): Route | null =>
    (router.find((method === "HEAD" ? "GET" : method) as HTTPMethod, path)?.store as Route | undefined) ??
    null;
  return {
    find,
    methods: (path) => METHODS.filter((method) => find(method, path) !== null),
    error(path, status, message) {
      const service = SERVICES.find(({ ownPath }) => ownPath.test(path));
      return service?.error(status, message) ?? jsonReply({ message }, status);
    },
  };
}

function ignored(): void {
  // Routes are found, and then handled in one place.
}
