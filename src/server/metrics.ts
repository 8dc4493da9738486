type Labels = Readonly<Record<string, string>>;

/** What Prometheus reads, in its text format 0.0.4. */
export interface Metric {
  /** Its lines, with those that say what it is. */
  text(): string;
}

const header = (name: string, help: string, type: string): string =>
  `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;

const escaped = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

function labelled(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** Counts what happens, by labels. Labels are of a few known values: each combination is kept. */
export class Counter implements Metric {
  readonly #name: string;
  readonly #help: string;
  readonly #values = new Map<string, { readonly labels: string; value: number }>();

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  /** @param key tells this combination of labels from others, and is quicker to make than they are */
  add(key: string, labels: () => Labels, by = 1): void {
    const known = this.#values.get(key);
    if (known === undefined) this.#values.set(key, { labels: labelled(labels()), value: by });
    else known.value += by;
  }

  text(): string {
    const lines = [...this.#values.values()].map(({ labels, value }) => `${this.#name}${labels} ${value}\n`);
    return header(this.#name, this.#help, "counter") + lines.join("");
  }
}

/** A value that is looked up when it is asked for. */
export class Gauge implements Metric {
  readonly #name: string;
  readonly #help: string;
  readonly #type: "gauge" | "counter";
  readonly #value: () => number;
  readonly #labels: string;

  constructor(
    name: string,
    help: string,
    value: () => number,
    type: "gauge" | "counter" = "gauge",
    labels: Labels = {},
  ) {
    this.#name = name;
    this.#help = help;
    this.#value = value;
    this.#type = type;
    this.#labels = labelled(labels);
  }

  text(): string {
    return `${header(this.#name, this.#help, this.#type)}${this.#name}${this.#labels} ${this.#value()}\n`;
  }
}

interface Series {
  readonly labels: Labels;
  /** In each bucket alone, the last being above all bounds. */
  readonly counts: number[];
  sum: number;
}

/** Counts values by size. */
export class Histogram implements Metric {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  readonly #series = new Map<string, Series>();

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name;
    this.#help = help;
    this.#bounds = bounds;
  }

  observe(value: number, key = "", labels: () => Labels = () => ({})): void {
    let series = this.#series.get(key);
    if (series === undefined) {
      series = { labels: labels(), counts: Array.from({ length: this.#bounds.length + 1 }, () => 0), sum: 0 };
      this.#series.set(key, series);
    }
    let bucket = 0;
    while (bucket < this.#bounds.length && value > this.#bounds[bucket]!) bucket++;
    series.counts[bucket]! += 1;
    series.sum += value;
  }

  text(): string {
    return (
      header(this.#name, this.#help, "histogram") +
      [...this.#series.values()].map((series) => this.#lines(series)).join("")
    );
  }

  #lines({ labels, counts, sum }: Series): string {
    let total = 0;
    const buckets = counts.map((count, i) => {
      total += count;
      const le = i < this.#bounds.length ? String(this.#bounds[i]) : "+Inf";
      return `${this.#name}_bucket${labelled({ ...labels, le })} ${total}\n`;
    });
    const rest = labelled(labels);
    return `${buckets.join("")}${this.#name}_sum${rest} ${sum}\n${this.#name}_count${rest} ${total}\n`;
  }
}
