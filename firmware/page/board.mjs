// The firmware in WebAssembly: what goes in and out of it by the memory that both share.

const MOST_STEPS = 100000; // a board that never rests must not stop the page

export class Board {
  // wasm: bytes of the firmware; now_us: a clock; onLine(text), onLight(red, green, blue).
  static async start(wasm, { onLine, onLight = () => {}, now_us = () => performance.now() * 1000 }) {
    const board = new Board(onLine);
    const imports = {
      tinyml: {
        say: (at, count) => board.#say(at, count),
        light: onLight,
        now_us,
      },
      // The C library names these; nothing calls them.
      wasi_snapshot_preview1: new Proxy({}, { get: () => () => 52 }),
    };
    const { instance } = await WebAssembly.instantiate(wasm, imports);
    board.#exports = instance.exports;
    instance.exports._initialize?.();
    instance.exports.board_setup();
    board.run();
    return board;
  }

  #exports;
  #onLine;
  #text = "";
  #decoder = new TextDecoder();

  constructor(onLine) {
    this.#onLine = onLine;
  }

  // Runs the board until it waits for something.
  run() {
    for (let step = 0; step < MOST_STEPS; ++step) {
      if (this.#exports.board_step()) {
        return;
      }
    }
  }

  // Bytes of the serial link.
  send(bytes) {
    this.#feed("serial", Uint8Array, bytes);
  }

  command(text) {
    this.send(new TextEncoder().encode(`${text}\n`));
  }

  // Int16Array at the model's rate.
  hear(samples) {
    this.#feed("audio", Int16Array, samples);
  }

  // Bytes of a frame as the camera gives it.
  see(frame) {
    this.#write(Uint8Array, this.#exports.camera_buffer(), frame);
    this.#exports.camera_send();
    this.run();
  }

  // Thousandths of g and of a degree per second: [ax, ay, az, gx, gy, gz].
  feel(motion) {
    this.#exports.motion_send(...motion.map(Math.round));
  }

  // As much at a time as the board's buffer holds.
  #feed(sense, View, values) {
    const capacity = this.#exports[`${sense}_capacity`]();
    for (let at = 0; at < values.length; at += capacity) {
      const piece = values.subarray(at, at + capacity);
      this.#write(View, this.#exports[`${sense}_buffer`](), piece);
      this.#exports[`${sense}_send`](piece.length);
      this.run();
    }
  }

  #write(View, at, values) {
    new View(this.#exports.memory.buffer, at, values.length).set(values);
  }

  #say(at, count) {
    const bytes = new Uint8Array(this.#exports.memory.buffer, at, count);
    this.#text += this.#decoder.decode(bytes, { stream: true });
    const lines = this.#text.split("\n");
    this.#text = lines.pop();
    lines.forEach(this.#onLine);
  }
}
