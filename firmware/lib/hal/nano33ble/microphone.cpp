#include "tinyml_build.h"

#if defined(TINYML_HAL_NANO33BLE)

#include "../sample_ring.h"
#include "microphone.h"

// Arduino's macros (min, abs, F, …) would break what follows.
#include <PDM.h>

namespace {

constexpr int kSampleRateHz = 16000;
constexpr size_t kBlockSamples = 256;  // 16 ms: each of the PDM library's two buffers
#if defined(TINYML_MICROPHONE_SAMPLES)
constexpr size_t kRingSamples = TINYML_MICROPHONE_SAMPLES;
#else
constexpr size_t kRingSamples = 8192;  // 512 ms: longer than any inference between two calls should take
#endif
constexpr uint32_t kSettlingBlocks = 4;  // what the microphone sends while it powers up

SampleRing<kRingSamples> ring;
uint32_t blocks_to_skip = kSettlingBlocks;
uint32_t missed_blocks = 0;
bool tried = false;
bool started = false;

// Called in the interrupt that ends a transfer. It must empty the library's buffer every time: the library
// switches the microphone off for good if its buffer is full.
void on_block() {
  static int16_t block[kBlockSamples];  // the stack of interrupts has 1 KB
  int bytes = 0;
  while ((bytes = PDM.read(block, sizeof(block))) > 0) {
    if (blocks_to_skip > 0) {
      --blocks_to_skip;
    } else {
      ring.push(block, static_cast<size_t>(bytes) / sizeof(int16_t));
    }
  }
}

bool start() {
  PDM.onReceive(on_block);
  PDM.setBufferSize(static_cast<int>(kBlockSamples * sizeof(int16_t)));
  return PDM.begin(1, kSampleRateHz) != 0;
}

}  // namespace

size_t microphone_take(int16_t* samples, size_t capacity) {
  if (!tried) {
    tried = true;
    started = start();
  }
  return started ? ring.pop(samples, capacity) : 0;
}

void microphone_missed(uint32_t us) {
  constexpr uint32_t kBlock_us = kBlockSamples * 1000000u / kSampleRateHz;
  const uint32_t blocks = us / kBlock_us;
  // The last of them waits in the library.
  missed_blocks += started && blocks > 0 ? blocks - 1 : 0;
}

uint32_t microphone_lost_blocks() {
  return ring.overruns() + missed_blocks;
}

#endif  // TINYML_HAL_NANO33BLE
