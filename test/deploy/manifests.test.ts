import { readFileSync } from "node:fs";

import { Deployment } from "kubernetes-models/apps/v1";
import { HorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2";
import { Service } from "kubernetes-models/v1";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";

import { serveOptions } from "../../src/cli/serve-options.ts";
import { ask, fakeEngine, serve } from "../server/scene.ts";
import yargs from "yargs";

const read = (path: string): string => readFileSync(new URL(`../../deploy/${path}`, import.meta.url), "utf8");
const documents = (path: string): unknown[] =>
  parseAllDocuments(read(path)).map((document) => document.toJS() as unknown);
const version = (
  JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string }
).version;
const IMAGE = `REGISTRY.azurecr.io/mnist-evaluate:${version}`;

/** Whether the service answers a probe's path with 200 and without a key. */
async function probes(...paths: string[]): Promise<number[]> {
  const { url } = await serve({ keys: ["k"], modelName: "mnist-logreg" }, fakeEngine());
  return Promise.all(paths.map(async (path) => (await ask(`${url}${path}`)).status));
}

/** @throws UsageError where `serve` does not take these arguments */
async function parsed(args: readonly string[]): Promise<Record<string, unknown>> {
  return await serveOptions(
    yargs([...args])
      .strict()
      .exitProcess(false)
      .fail(false),
  ).parseAsync();
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: number | string };
}

describe("deploy/kubernetes/scoring.yaml", () => {
  const [deployment, service, autoscaler] = documents("kubernetes/scoring.yaml") as [
    ConstructorParameters<typeof Deployment>[0] & {
      spec: { template: { spec: { containers: [Record<string, unknown>] } } };
    },
    ConstructorParameters<typeof Service>[0],
    ConstructorParameters<typeof HorizontalPodAutoscaler>[0],
  ];

  test("is valid by Kubernetes' own schemas", () => {
    expect(documents("kubernetes/scoring.yaml")).toHaveLength(3);
    for (const made of [
      new Deployment(deployment),
      new Service(service),
      new HorizontalPodAutoscaler(autoscaler),
    ])
      expect(() => made.validate()).not.toThrow();
  });

  test("the schemas refuse what is wrong, so that passing them means something", () => {
    const wrong = structuredClone(deployment);
    (
      wrong.spec.template.spec.containers[0] as { ports: { containerPort: unknown }[] }
    ).ports[0]!.containerPort = "http";
    expect(() => new Deployment(wrong).validate()).toThrow(/containerPort/);
  });

  test("selects its own pods, scales its own deployment, and targets a port that is there", () => {
    expect(service!.spec!.selector).toEqual(deployment.spec.template.metadata!.labels);
    expect(deployment.spec.selector).toEqual({ matchLabels: service!.spec!.selector });
    expect(autoscaler!.spec.scaleTargetRef).toMatchObject({
      kind: "Deployment",
      name: deployment.metadata!.name,
    });
    const [container] = deployment.spec.template.spec.containers;
    expect(container).toMatchObject({ image: IMAGE, ports: [{ name: "http", containerPort: 5001 }] });
    expect(service!.spec!.ports).toMatchObject([{ targetPort: "http" }]);
    expect(container["resources"]).toHaveProperty("requests.cpu");
  });

  test("runs without root, without privileges, on a file system that cannot be written", () => {
    const { spec } = deployment.spec.template;
    expect(spec).toMatchObject({
      securityContext: { runAsNonRoot: true },
      automountServiceAccountToken: false,
    });
    expect(spec.containers[0]).toMatchObject({
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      },
    });
  });

  test("its arguments and probes are the service's", async () => {
    const [container] = deployment.spec.template.spec.containers;
    const { timeout, apiKeyEnv } = await parsed(container["args"] as string[]);
    expect(deployment.spec.template.spec).toHaveProperty("terminationGracePeriodSeconds", 75);
    expect(timeout).toBeLessThanOrEqual(75 - 5 - 2);
    expect(container["env"]).toMatchObject([
      { name: "ORT_DISABLE_TELEMETRY", value: "1" },
      { name: apiKeyEnv },
    ]);
    const paths = ["startupProbe", "livenessProbe", "readinessProbe"].map(
      (name) => (container[name] as Probe).httpGet.path,
    );
    expect(await probes(...paths)).toEqual([200, 200, 200]);
  });
});

// No package holds a schema for the following: they are held to their documentation by hand.

describe("deploy/azure-container-instances/container-group.yaml", () => {
  const group = parse(read("azure-container-instances/container-group.yaml")) as Record<string, unknown>;
  const properties = group["properties"] as {
    containers: { properties: Record<string, unknown> }[];
  } & Record<string, unknown>;
  const container = properties.containers[0]!.properties;

  test("is the tutorial's: one core, 1 GB, its tags", () => {
    expect(group).toMatchObject({
      type: "Microsoft.ContainerInstance/containerGroups",
      tags: { data: "MNIST", method: "sklearn" },
      properties: {
        osType: "Linux",
        containers: [{ properties: { image: IMAGE, resources: { requests: { cpu: 1, memoryInGB: 1 } } } }],
      },
    });
  });

  test("has only properties that the reference names", () => {
    expect(Object.keys(group).toSorted()).toEqual([
      "apiVersion",
      "location",
      "name",
      "properties",
      "tags",
      "type",
    ]);
    expect(Object.keys(properties).toSorted()).toEqual([
      "containers",
      "imageRegistryCredentials",
      "ipAddress",
      "osType",
      "restartPolicy",
    ]);
    expect(Object.keys(container).toSorted()).toEqual([
      "command",
      "environmentVariables",
      "image",
      "livenessProbe",
      "ports",
      "readinessProbe",
      "resources",
    ]);
  });

  test("opens the port that the service listens at, keeps the key secret, and its probes are answered", async () => {
    const command = container["command"] as string[];
    expect(command.slice(0, 3)).toEqual(["/nodejs/bin/node", "/app/dist/main.cjs", "serve"]);
    const { port, host, apiKeyEnv } = await parsed(command.slice(3));
    expect(host).toBe("0.0.0.0");
    expect(container["ports"]).toEqual([{ protocol: "TCP", port }]);
    expect(properties["ipAddress"]).toMatchObject({ ports: [{ protocol: "TCP", port }] });
    expect(container["environmentVariables"]).toEqual([
      { name: "ORT_DISABLE_TELEMETRY", value: "1" },
      { name: apiKeyEnv, secureValue: "KEY" },
    ]);
    const paths = ["livenessProbe", "readinessProbe"].map((name) => (container[name] as Probe).httpGet.path);
    expect(await probes(...paths)).toEqual([200, 200]);
  });
});

describe("deploy/azure-ml", () => {
  const endpoint = parse(read("azure-ml/endpoint.yaml")) as Record<string, unknown>;
  const deployment = parse(read("azure-ml/deployment.yaml")) as Record<string, unknown>;

  test("names its schemas, and the deployment its endpoint", () => {
    const schemas = "https://azuremlschemas.azureedge.net/latest";
    expect(endpoint).toMatchObject({
      $schema: `${schemas}/managedOnlineEndpoint.schema.json`,
      auth_mode: "key",
    });
    expect(deployment).toMatchObject({
      $schema: `${schemas}/managedOnlineDeployment.schema.json`,
      endpoint_name: endpoint["name"],
    });
  });

  test("has only fields that the reference names", () => {
    expect(Object.keys(endpoint).toSorted()).toEqual(["$schema", "auth_mode", "description", "name", "tags"]);
    expect(Object.keys(deployment).toSorted()).toEqual([
      "$schema",
      "endpoint_name",
      "environment",
      "environment_variables",
      "instance_count",
      "instance_type",
      "liveness_probe",
      "name",
      "readiness_probe",
      "request_settings",
      "tags",
    ]);
  });

  test("has the runtime's telemetry off", () => {
    expect(deployment["environment_variables"]).toEqual({ ORT_DISABLE_TELEMETRY: "1" });
  });

  test("its routes are the service's", async () => {
    const { image, inference_config: routes } = deployment["environment"] as {
      image: string;
      inference_config: Record<string, { port: number; path: string }>;
    };
    expect(image).toBe(IMAGE);
    expect(Object.values(routes).map(({ port }) => port)).toEqual([5001, 5001, 5001]);
    expect(await probes(routes["liveness_route"]!.path, routes["readiness_route"]!.path)).toEqual([200, 200]);
    const { url } = await serve({}, fakeEngine());
    expect(
      (await ask(`${url}${routes["scoring_route"]!.path}`, { body: '{"data": [[1, 0, 0, 0]]}' })).body,
    ).toBe("[1]");
  });
});
