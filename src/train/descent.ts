import type { Curvature } from "./curvature.ts";
import type { Point } from "./loss.ts";

/** A step must lower the objective by this share of what the gradient promises (Armijo's condition). */
const DECREASE = 1e-4;
/** What rounding may add to an objective, relative to it: near the optimum, steps change it by less. */
const ROUNDING = 1e-12;
/** Steps that are remembered. */
const MEMORY = 12;

interface Step {
  readonly change: Float64Array;
  readonly gradientChange: Float64Array;
  /** 1 / (change · gradientChange) */
  readonly scale: number;
}

/**
 * One class's way to its optimum: L-BFGS, started from an estimate of the Hessian instead of a multiple of the identity
 * (Nocedal & Wright, Numerical Optimization, 2nd edition, algorithm 7.4).
 */
export class Descent {
  readonly point: Point;
  /** The next point to evaluate. */
  readonly trial: Point;
  /** Accepted steps. */
  iterations = 0;
  #curvature: Curvature | null = null;
  #steps: Step[] = [];
  readonly #direction: Float64Array;
  #length = 1;

  constructor(label: number, width: number) {
    this.point = emptyPoint(label, width);
    this.trial = emptyPoint(label, width);
    this.#direction = new Float64Array(width);
  }

  /** Begins anew from the current point, which has been evaluated, with another estimate of the Hessian. */
  restart(curvature: Curvature): void {
    this.#curvature = curvature;
    this.#steps = [];
    this.#turn();
  }

  /** Takes the trial, which has been evaluated, where it is lower, and sets the next trial. */
  advance(): void {
    const promised = dot(this.#direction, this.point.gradient) * this.#length;
    const limit = this.point.objective + DECREASE * promised + ROUNDING * Math.abs(this.point.objective);
    if (!(this.trial.objective <= limit)) {
      this.#length /= 2;
      this.#setTrial();
      return;
    }
    this.#remember();
    this.point.weights.set(this.trial.weights);
    this.point.gradient.set(this.trial.gradient);
    this.point.objective = this.trial.objective;
    this.iterations++;
    this.#turn();
  }

  #remember(): void {
    const change = this.trial.weights.map((weight, at) => weight - this.point.weights[at]!);
    const gradientChange = this.trial.gradient.map((slope, at) => slope - this.point.gradient[at]!);
    const product = dot(change, gradientChange);
    // The objective is convex, so that only rounding can make this untrue.
    if (!(product > 0)) return;
    this.#steps.push({ change, gradientChange, scale: 1 / product });
    if (this.#steps.length > MEMORY) this.#steps.shift();
  }

  /** Sets the direction by the two-loop recursion, and the trial at its end. */
  #turn(): void {
    const direction = this.#direction;
    direction.set(this.point.gradient);
    const shares = this.#steps.map(() => 0);
    for (let i = this.#steps.length - 1; i >= 0; i--) {
      const { change, gradientChange, scale } = this.#steps[i]!;
      shares[i] = scale * dot(change, direction);
      addMultiple(direction, -shares[i]!, gradientChange);
    }
    this.#curvature?.solve(direction);
    for (const [i, { change, gradientChange, scale }] of this.#steps.entries())
      addMultiple(direction, shares[i]! - scale * dot(gradientChange, direction), change);
    for (let at = 0; at < direction.length; at++) direction[at] = -direction[at]!;
    this.#length = 1;
    this.#setTrial();
  }

  #setTrial(): void {
    this.trial.weights.set(this.point.weights);
    addMultiple(this.trial.weights, this.#length, this.#direction);
  }
}

export function norm(vector: Float64Array): number {
  return Math.sqrt(dot(vector, vector));
}

function emptyPoint(label: number, width: number): Point {
  return { label, weights: new Float64Array(width), gradient: new Float64Array(width), objective: 0 };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!;
  return sum;
}

function addMultiple(target: Float64Array, factor: number, vector: Float64Array): void {
  for (let at = 0; at < target.length; at++) target[at]! += factor * vector[at]!;
}
