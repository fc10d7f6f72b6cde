// Sound as the model takes it: int16 at its rate, by integers alone, from whatever a microphone or a file has.

const ZERO_CROSSINGS = 24;
const KAISER_BETA = 9;
const PASS_BAND_SHARE = 0.94;
const TAP_BITS = 15;

// Full scale 1.0 becomes 32768, rounded and clipped.
export function toInt16(samples) {
  return Int16Array.from(samples, (x) => Math.max(-32768, Math.min(32767, Math.round(x * 32768))));
}

// Changes the sample rate of a stream that comes in pieces: a polyphase Kaiser-windowed sinc (Crochiere and
// Rabiner, "Multirate Digital Signal Processing", 1983, chapter 2) with taps of 15 bits.
export class Resampler {
  constructor(fromHz, toHz) {
    const divisor = gcd(fromHz, toHz);
    this.up = toHz / divisor;
    this.down = fromHz / divisor;
    const widest = Math.max(this.up, this.down);
    const half = Math.ceil((ZERO_CROSSINGS * widest) / this.up);
    this.width = 2 * half;
    this.taps = Array.from({ length: this.up }, (_, phase) => polyphaseTaps(half, phase / this.up, this.up / widest));
    this.held = new Int16Array(half - 1); // centres the filter on the first sample
    this.next = 0; // of the outputs, in steps of 1 / up of an input, from the start of what is held
  }

  // Int16Array -> Int16Array of what can be said by now.
  push(samples) {
    if (this.up === this.down) return samples;
    const line = new Int16Array(this.held.length + samples.length);
    line.set(this.held);
    line.set(samples, this.held.length);
    const found = [];
    let base = Math.floor(this.next / this.up);
    for (; base + this.width <= line.length; base = Math.floor(this.next / this.up)) {
      const taps = this.taps[this.next % this.up];
      let sum = 1 << (TAP_BITS - 1);
      for (let i = 0; i < this.width; ++i) sum += taps[i] * line[base + i];
      found.push(Math.max(-32768, Math.min(32767, Math.floor(sum / (1 << TAP_BITS)))));
      this.next += this.down;
    }
    this.held = line.slice(Math.min(base, line.length));
    this.next -= (line.length - this.held.length) * this.up;
    return Int16Array.from(found);
  }
}

// Of one phase, whose outputs lie `offset` of an input sample later, with a band of `share` of the input's.
function polyphaseTaps(half, offset, share) {
  const cutoff = PASS_BAND_SHARE * share;
  const taps = Array.from({ length: 2 * half }, (_, i) => {
    const distance = i - (half - 1) - offset;
    const window = bessel(KAISER_BETA * Math.sqrt(Math.max(0, 1 - (distance / half) ** 2)));
    return sinc(cutoff * distance) * window;
  });
  const sum = taps.reduce((a, b) => a + b);
  return Int32Array.from(taps, (tap) => Math.round((tap / sum) * (1 << TAP_BITS)));
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

// The modified Bessel function of the first kind and order 0, by its series.
function bessel(x) {
  let sum = 1;
  for (let term = 1, n = 1; term > 1e-12 * sum; ++n) {
    term *= (x / (2 * n)) ** 2;
    sum += term;
  }
  return sum;
}

function gcd(a, b) {
  return b === 0 ? a : gcd(b, a % b);
}

// A WAV file of 16-bit PCM: {rateHz, samples}, its channels averaged; null for any other file.
export function readWav(buffer) {
  const view = new DataView(buffer);
  const name = (at) => (at + 4 <= buffer.byteLength ? String.fromCharCode(...new Uint8Array(buffer, at, 4)) : "");
  if (name(0) !== "RIFF" || name(8) !== "WAVE") return null;
  let format = null;
  for (let at = 12; at + 8 <= buffer.byteLength; ) {
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (name(at) === "fmt " && size >= 16 && body + 16 <= buffer.byteLength) {
      format = {
        isPcm: [1, 0xfffe].includes(view.getUint16(body, true)) && view.getUint16(body + 14, true) === 16,
        channels: view.getUint16(body + 2, true),
        rateHz: view.getUint32(body + 4, true),
      };
    } else if (name(at) === "data") {
      if (!format?.isPcm || !format.channels || !format.rateHz) return null;
      const frames = Math.floor(Math.min(size, buffer.byteLength - body) / (2 * format.channels));
      const samples = Int16Array.from({ length: frames }, (_, i) => {
        let sum = 0;
        for (let c = 0; c < format.channels; ++c) sum += view.getInt16(body + 2 * (i * format.channels + c), true);
        return Math.round(sum / format.channels);
      });
      return { rateHz: format.rateHz, samples };
    }
    at = body + size + (size % 2);
  }
  return null;
}
