import { describe, expect, test } from "vitest";
import { type CurvePlot, labels, shortName } from "../../src/charts/curves.ts";
import { textWidth } from "../../src/charts/text.ts";

const PLOT: CurvePlot = {
  width: 700,
  height: 400,
  named: [
    { class: "5", color: "#d55e00", text: "5: AUC 0.980", at: { x: 300, y: 60 } },
    { class: "8", color: "#0072b2", text: "8: AUC 0.981", at: { x: 300, y: 40 } },
  ],
  others: "8 others",
  side: "right",
  lowest: () => 100,
};

describe("labels(plot)", () => {
  test("stands below all curves, in the order of the points, a line apart", () => {
    expect(labels(PLOT)).toEqual({
      align: "left",
      lines: [
        { text: "8: AUC 0.981", color: "#0072b2", x: 330, y: 120, at: { x: 300, y: 40 } },
        { text: "5: AUC 0.980", color: "#d55e00", x: 330, y: 140, at: { x: 300, y: 60 } },
        { text: "8 others", color: "#57606a", x: 330, y: 160, at: null },
      ],
    });
  });

  test("stands at the top and on the other side where there is no room below", () => {
    const { align, lines } = labels({ ...PLOT, lowest: () => 350 });
    expect(align).toBe("right");
    expect(lines.map(({ x, y }) => [x, y])).toEqual([
      [270, 20],
      [270, 40],
      [270, 60],
    ]);
  });

  test("stays on its side where the other is too narrow, and inside the plot", () => {
    const named = PLOT.named.map((n) => ({ ...n, text: n.text.repeat(3), at: { ...n.at, x: 600 } }));
    const { align, lines } = labels({ ...PLOT, named, side: "left", lowest: () => 350 });
    expect(align).toBe("right");
    expect(lines[0]?.x).toBe(570);
    const right = labels({ ...PLOT, named });
    expect(right.lines[0]!.x + textWidth(named[0]!.text, 13)).toBeLessThanOrEqual(700);
  });
});

test("shortName(name) leaves ordinary names as they are and cuts very long ones", () => {
  expect(shortName("Ankle boot")).toBe("Ankle boot");
  const short = shortName("a class name that somebody made a whole sentence of");
  expect(short).toMatch(/^a class name that .*…$/u);
  expect(textWidth(short, 13)).toBeLessThanOrEqual(160);
});
