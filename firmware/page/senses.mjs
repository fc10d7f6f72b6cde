// This device's senses: its microphone, and pictures and motion as the board's sensors would give them.

const REASONS = {
  NotAllowedError: (sense) => `The browser does not allow this page the ${sense}`,
  NotFoundError: (sense) => `This device has no ${sense}`,
  NotReadableError: (sense) => `Another program holds the ${sense}`,
  OverconstrainedError: (sense) => `This device has no such ${sense}`,
};

// A stream of the microphone or the camera; where there is none, an error in words.
export async function openSense(sense, constraints) {
  if (!navigator.mediaDevices) throw new Error(`Browsers give the ${sense} only to pages of this device, or over HTTPS`);
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (error) {
    throw new Error(REASONS[error.name]?.(sense) ?? error.message);
  }
}

// Opens the microphone at its own rate and as it is: no echo cancellation, no gain control. Has to be called before
// anything is waited for: iOS starts sound only in the very handler of a tap.
// tap: the address of the worklet's module. heard(Float32Array, rateHz) is told of each block.
export async function openMicrophone(tap, heard) {
  const context = new AudioContext();
  const wake = () => document.hidden || context.resume(); // a phone that was locked stops it
  const close = () => {
    document.removeEventListener("visibilitychange", wake);
    stream?.getTracks().forEach((track) => track.stop());
    context.close();
  };
  let stream = null;
  context.resume();
  try {
    stream = await openSense("microphone", {
      audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
    await context.audioWorklet.addModule(tap);
    const node = new AudioWorkletNode(context, "tap");
    node.port.onmessage = ({ data }) => heard(data, context.sampleRate);
    context.createMediaStreamSource(stream).connect(node);
    node.connect(context.destination); // silence; what leads nowhere, some browsers do not run
  } catch (error) {
    close();
    throw error;
  }
  context.resume();
  document.addEventListener("visibilitychange", wake);
  return { rateHz: context.sampleRate, track: stream.getAudioTracks()[0], wake, close };
}

// Bytes of a frame from RGBA pixels: grey by ITU-R BT.601 in 256ths, or RGB565, the high byte first.
export function toFrame(rgba, isColour) {
  const pixels = rgba.length / 4;
  const frame = new Uint8Array(isColour ? 2 * pixels : pixels);
  for (let i = 0; i < pixels; ++i) {
    const [red, green, blue] = rgba.subarray(4 * i, 4 * i + 3);
    if (isColour) {
      const word = ((red >> 3) << 11) | ((green >> 2) << 5) | (blue >> 3);
      frame[2 * i] = word >> 8;
      frame[2 * i + 1] = word & 0xff;
    } else {
      frame[i] = (77 * red + 150 * green + 29 * blue + 128) >> 8;
    }
  }
  return frame;
}

const STANDARD_GRAVITY = 9.80665;
const LONGEST_GAP_MS = 500; // a page that was hidden goes on from where it is

// Motion at the model's rate from events at the device's own: the line between two of them.
export class MotionClock {
  constructor(rateHz) {
    this.periodMs = 1000 / rateHz;
    this.last = null;
    this.nextMs = 0;
  }

  // [ax, ay, az, gx, gy, gz] at a time -> the samples that are due.
  push(timeMs, motion) {
    const before = this.last;
    this.last = { timeMs, motion };
    if (before === null || timeMs - before.timeMs > LONGEST_GAP_MS) {
      this.nextMs = timeMs;
    }
    const due = [];
    for (; this.nextMs <= timeMs; this.nextMs += this.periodMs) {
      const share = before === null || timeMs === before.timeMs ? 1 : (this.nextMs - before.timeMs) / (timeMs - before.timeMs);
      due.push(motion.map((value, i) => (before === null || share < 0 ? value : before.motion[i] + share * (value - before.motion[i]))));
    }
    return due;
  }
}

// A DeviceMotionEvent in thousandths of g and of a degree per second; null where it measures nothing. A device that
// lies on its back measures +1 g along z; Apple's say so with the other sign.
export function toMotion(event, isApple) {
  const g = event.accelerationIncludingGravity;
  const turn = event.rotationRate;
  if (g?.x == null) return null;
  const scale = ((isApple ? -1 : 1) * 1000) / STANDARD_GRAVITY;
  const rates = turn?.alpha == null ? [0, 0, 0] : [turn.beta, turn.gamma, turn.alpha].map((dps) => dps * 1000);
  return [g.x * scale, g.y * scale, g.z * scale, ...rates];
}

// The same on the axes of the board. A phone that points ahead is a board whose socket is at the hand: its top is the
// board's -x.
export const asBoard = ([ax, ay, az, gx, gy, gz]) => [-ay, ax, az, -gy, gx, gz];

// The same in the units of the command `imu`: int16, thousandths of g and tenths of a degree per second.
export const asImu = (motion) => motion.map((value, i) => Math.max(-32768, Math.min(32767, Math.round(i < 3 ? value : value / 100))));
