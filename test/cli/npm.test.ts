import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

import { expect, test } from "vitest";

import { root } from "./command.ts";

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

test.skipIf(process.platform === "win32")(
  "a service ends when npm run, which started it, is ended",
  async () => {
    const args = ["run", "--silent", "serve", "--", "--port", "0", "--log", "silent"];
    const npm = spawn("npm", args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(npm.stdout.setEncoding("utf8"), "data")) as [string];
    const url = /http:\S+:\d+\//.exec(line)![0];
    expect(await answers(url)).toBe(true);
    const ended = once(npm, "exit");
    npm.kill("SIGTERM");
    await ended;
    while (await answers(url)) await sleep(50);
    // Its last pipe is closed with it.
    await once(npm, "close");
  },
);
