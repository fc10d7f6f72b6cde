// The microphone of this device, at its own rate and as it is: no echo cancellation, no gain control.
import { toInt16 } from "./sound.mjs";

const REASONS = {
  NotAllowedError: "The browser does not allow this page the microphone",
  NotFoundError: "This device has no microphone",
  NotReadableError: "Another program holds the microphone",
};

export class Microphone {
  // Opens it, which asks the user once.
  static async open() {
    if (!navigator.mediaDevices) throw new Error("Browsers give the microphone only to pages of this computer, or over HTTPS");
    const microphone = new Microphone();
    try {
      microphone.stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false },
      });
    } catch (error) {
      throw new Error(REASONS[error.name] ?? error.message);
    }
    microphone.context = new AudioContext();
    await microphone.context.audioWorklet.addModule("/web/tap.mjs");
    const tap = new AudioWorkletNode(microphone.context, "tap", { numberOfOutputs: 0 });
    tap.port.onmessage = ({ data }) => microphone.heard(data);
    microphone.context.createMediaStreamSource(microphone.stream).connect(tap);
    await microphone.context.resume();
    return microphone;
  }

  heard() {}

  // Int16Array of `seconds`; `onLevel(share of the take, level 0…1)` is told of each block.
  record(seconds, onLevel) {
    const wanted = Math.round(seconds * this.context.sampleRate);
    const blocks = [];
    let count = 0;
    return new Promise((resolve) => {
      this.heard = (block) => {
        blocks.push(block);
        count += block.length;
        onLevel(Math.min(1, count / wanted), Math.min(1, 4 * Math.max(...block.map(Math.abs))));
        if (count < wanted) return;
        this.heard = () => {};
        const take = new Float32Array(count);
        let at = 0;
        for (const each of blocks) {
          take.set(each, at);
          at += each.length;
        }
        resolve(toInt16(take.subarray(0, wanted)));
      };
    });
  }

  close() {
    this.stream.getTracks().forEach((track) => track.stop());
    this.context.close();
  }
}

// 16-bit mono WAV.
export function wav(samples, rateHz) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, letters) => [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rateHz, true);
  view.setUint32(28, 2 * rateHz, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, i) => view.setInt16(44 + 2 * i, sample, true));
  return new Blob([view], { type: "audio/wav" });
}
