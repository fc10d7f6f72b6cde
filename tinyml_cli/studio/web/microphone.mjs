// The microphone of this device, take by take.
import { unanswered } from "./api.mjs";
import { openMicrophone } from "./senses.mjs";
import { toInt16 } from "./sound.mjs";

const SILENT_MS = 3000; // no sound at all for so long: the microphone has stopped

export class Microphone {
  // Opens it, which asks the user once; see openMicrophone.
  static async open() {
    const microphone = new Microphone();
    microphone.opened = await openMicrophone("/web/tap.mjs", (block) => microphone.heard(block)).catch((error) => {
      throw error.name === "AbortError" ? unanswered() : error;
    });
    return microphone;
  }

  heard() {}

  get rateHz() {
    return this.opened.rateHz;
  }

  // Int16Array of `seconds`; `onLevel(share of the take, level 0…1)` is told of each block. A take with a gap is none.
  record(seconds, onLevel) {
    const wanted = Math.round(seconds * this.rateHz);
    const blocks = [];
    let count = 0;
    this.opened.wake();
    return new Promise((resolve, reject) => {
      const end = (settle, value) => {
        clearTimeout(timer);
        this.heard = () => {};
        document.removeEventListener("visibilitychange", hide);
        settle(value);
      };
      const fail = (text) => end(reject, new Error(`${text}: the take was dropped. Record it again.`));
      const hide = () => document.hidden && fail("The page was hidden");
      const gone = () => fail("The microphone has stopped");
      let timer = setTimeout(gone, SILENT_MS);
      document.addEventListener("visibilitychange", hide);
      this.heard = (block) => {
        clearTimeout(timer);
        timer = setTimeout(gone, SILENT_MS);
        blocks.push(block);
        count += block.length;
        onLevel(Math.min(1, count / wanted), Math.min(1, 4 * Math.max(...block.map(Math.abs))));
        if (count < wanted) return;
        const take = new Float32Array(count);
        let at = 0;
        for (const each of blocks) {
          take.set(each, at);
          at += each.length;
        }
        end(resolve, toInt16(take.subarray(0, wanted)));
      };
    });
  }

  get hasEnded() {
    return this.opened.track.readyState === "ended";
  }

  close() {
    this.opened.close();
  }
}
