// Hands on what a microphone hears, block by block.
registerProcessor(
  "tap",
  class extends AudioWorkletProcessor {
    process([[channel]]) {
      if (channel) this.port.postMessage(channel.slice());
      return true;
    }
  },
);
