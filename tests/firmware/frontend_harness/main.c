/* Reads job.bin (a Job, then int16 clips), writes features.bin (uint16), quantized.bin (int8) and
 * steps.bin (uint32: instructions / 40 spent on all frames). */
#include "audio_frontend.h"
#include "audio_frontend_tables.h"
#include "host_io.h"

enum { kMaxBlock = 1024 };

typedef struct {
  uint32_t clips;
  uint32_t samples;
  uint32_t block_samples;
  uint32_t multiplier;
  uint32_t shift;
  int32_t zero_point;
} Job;

typedef struct {
  AudioFrontend frontend;
  Job job;
  HostFile features;
  HostFile quantized;
  uint32_t steps;
} Harness;

static void write_frame(const Harness* harness, const uint16_t* features) {
  int8_t quantized[AUDIO_FRONTEND_MAX_CHANNELS];
  const size_t channels = kAudioFrontendConfig.channels;
  audio_frontend_quantize(features, channels, (uint16_t)harness->job.multiplier, harness->job.shift,
                          harness->job.zero_point, quantized);
  host_write(harness->features, features, channels * sizeof *features);
  host_write(harness->quantized, quantized, channels);
}

static void feed(Harness* harness, const int16_t* samples, size_t count) {
  uint16_t features[AUDIO_FRONTEND_MAX_CHANNELS];
  while (count > 0) {
    size_t consumed = 0;
    const uint32_t start = host_instruction_steps();
    const bool complete = audio_frontend_process(&harness->frontend, samples, count, &consumed, features);
    harness->steps += (host_instruction_steps() - start) & 0xFFFFFF;
    if (complete) write_frame(harness, features);
    samples += consumed;
    count -= consumed;
  }
}

int main(void) {
  static Harness harness;
  static int16_t block[kMaxBlock];
  const HostFile input = host_open_to_read("job.bin");
  host_read(input, &harness.job, sizeof harness.job);
  harness.features = host_open_to_write("features.bin");
  harness.quantized = host_open_to_write("quantized.bin");
  if (harness.job.block_samples > kMaxBlock) host_exit(2);
  if (!audio_frontend_init(&harness.frontend, &kAudioFrontendConfig)) host_exit(3);
  for (uint32_t clip = 0; clip < harness.job.clips; ++clip) {
    audio_frontend_reset(&harness.frontend);
    for (uint32_t left = harness.job.samples; left > 0;) {
      const uint32_t count = left < harness.job.block_samples ? left : harness.job.block_samples;
      host_read(input, block, count * sizeof *block);
      feed(&harness, block, count);
      left -= count;
    }
  }
  host_write(host_open_to_write("steps.bin"), &harness.steps, sizeof harness.steps);
  host_exit(0);
}
