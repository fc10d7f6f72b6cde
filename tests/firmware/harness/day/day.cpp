// The keyword spotting application through many simulated hours: day START_MS HOURS [MS LINE ...], with lines
// from the host at times of the clock. The front end is a stand-in that hears 0.8 s of loud sound every ten
// minutes.
#include <stdlib.h>

#include "audio_frontend.h"
#include "kws.h"

namespace {

constexpr uint64_t kFrameSamples = 320;
constexpr uint64_t kFramesPerTenMinutes = 10 * 60 * 50;
constexpr uint64_t kLoudFrames = 40;

uint64_t samples_seen = 0;

}  // namespace

bool audio_frontend_init(AudioFrontend*, const AudioFrontendConfig*) {
  return true;
}

void audio_frontend_reset(AudioFrontend*) {}

uint32_t audio_frontend_noise(const AudioFrontend*) {
  return 0;
}

bool audio_frontend_process(AudioFrontend*, const int16_t*, size_t count, size_t* consumed,
                            uint16_t* features) {
  *consumed = count;
  const uint64_t frames_before = samples_seen / kFrameSamples;
  samples_seen += count;
  const uint64_t frames = samples_seen / kFrameSamples;
  for (size_t channel = 0; channel < FEATURE_CHANNELS; ++channel) {
    features[channel] = frames % kFramesPerTenMinutes < kLoudFrames ? 500 : 0;
  }
  return frames != frames_before;
}

void audio_frontend_quantize(const uint16_t* features, size_t channels, uint16_t, unsigned, int32_t,
                             int8_t* values) {
  for (size_t channel = 0; channel < channels; ++channel) {
    values[channel] = features[channel] > 0 ? 100 : -100;
  }
}

int main(int count, char** arguments) {
  static Hal hal(strtoull(arguments[1], nullptr, 10));
  for (int i = 3; i + 1 < count; i += 2) {
    hal.send_at(static_cast<uint32_t>(strtoull(arguments[i], nullptr, 10)), arguments[i + 1]);
  }
  static KwsApp app;
  app.setup(hal);
  const uint64_t steps = strtoull(arguments[2], nullptr, 10) * 3600 * 100;
  for (uint64_t i = 0; i < steps; ++i) {
    app.step();
  }
}
