// node.mjs PROGRAM: the page's firmware as a board of this computer, on standard input and output.
import { readFileSync, writeSync } from "node:fs";
import { Board } from "./board.mjs";

const PERIOD_MS = 20; // of what the board does by itself

function writeLine(line) {
  let bytes = Buffer.from(`${line}\n`);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(1, bytes));
    } catch (error) {
      if (error.code !== "EAGAIN") process.exit(0); // nobody reads any more
    }
  }
}

const board = await Board.start(readFileSync(process.argv[2]), { onLine: writeLine });
setInterval(() => board.run(), PERIOD_MS);
process.stdin.on("data", (bytes) => board.send(bytes));
process.stdin.on("end", () => process.exit(0));
