import { Counter, Gauge, Histogram, type Metric } from "./metrics.ts";

const PREFIX = "mnist_evaluate";
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const IMAGES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/** What is read from elsewhere when metrics are asked for. */
export interface Readings {
  readonly inFlight: () => number;
  readonly queuedImages: () => number;
  readonly pendingBytes: () => number;
  readonly ready: () => boolean;
  readonly model: () => { readonly name: string; readonly sha256: string };
}

/** The service's numbers for Prometheus. */
export class Telemetry {
  readonly #requests = new Counter(
    `${PREFIX}_requests_total`,
    "Requests that were answered, by route and status",
  );
  readonly #seconds = new Histogram(
    `${PREFIX}_request_seconds`,
    "From a request's headers to the end of its reply, by route",
    SECONDS,
  );
  readonly #images = new Counter(`${PREFIX}_images_total`, "Images that were scored");
  readonly #runImages = new Histogram(`${PREFIX}_run_images`, "Images in one run of the model", IMAGES);
  readonly #runRequests = new Histogram(`${PREFIX}_run_requests`, "Requests in one run of the model", IMAGES);
  readonly #runSeconds = new Histogram(`${PREFIX}_run_seconds`, "One run of the model", SECONDS);
  readonly #gauges: readonly Metric[];
  readonly #readings: Readings;

  constructor(readings: Readings) {
    this.#readings = readings;
    this.#gauges = [
      new Gauge(`${PREFIX}_requests_in_flight`, "Requests for scores under way", readings.inFlight),
      new Gauge(`${PREFIX}_queued_images`, "Images that wait for the model", readings.queuedImages),
      new Gauge(`${PREFIX}_pending_bytes`, "Bytes of the bodies under way", readings.pendingBytes),
      new Gauge(`${PREFIX}_ready`, "1 once the model is loaded, 0 while the service stops", () =>
        Number(readings.ready()),
      ),
      new Gauge("process_resident_memory_bytes", "Memory of the process", () => process.memoryUsage.rss()),
      new Gauge("process_cpu_seconds_total", "Processor time", () => cpuSeconds(), "counter"),
      new Gauge("process_uptime_seconds", "Since the process was started", () => process.uptime()),
    ];
  }

  /** @param route as it was registered, not as it was asked for: its values are few */
  request(route: string, status: number, seconds: number): void {
    this.#requests.add(`${route} ${status}`, () => ({ route, status: String(status) }));
    this.#seconds.observe(seconds, route, () => ({ route }));
  }

  run(images: number, requests: number, ms: number): void {
    this.#images.add("", () => ({}), images);
    this.#runImages.observe(images);
    this.#runRequests.observe(requests);
    this.#runSeconds.observe(ms / 1000);
  }

  text(): string {
    const { name, sha256 } = this.#readings.model();
    const info = new Gauge(`${PREFIX}_model_info`, "The model that is served", () => 1, "gauge", {
      name,
      sha256,
    });
    const metrics = [
      this.#requests,
      this.#seconds,
      this.#images,
      this.#runImages,
      this.#runRequests,
      this.#runSeconds,
      ...this.#gauges,
      info,
    ];
    return metrics.map((metric) => metric.text()).join("");
  }
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
