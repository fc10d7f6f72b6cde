#include "audio_frontend.h"

#include <string.h>

#include "audio_frontend_stages.h"

enum { kWindowBits = 12 };

bool audio_frontend_init(AudioFrontend* frontend, const AudioFrontendConfig* config) {
  if (config->fft_size > AUDIO_FRONTEND_MAX_FFT_SIZE || config->channels > AUDIO_FRONTEND_MAX_CHANNELS) {
    return false;
  }
  frontend->config = config;
  audio_frontend_reset(frontend);
  return true;
}

void audio_frontend_reset(AudioFrontend* frontend) {
  frontend->held = 0;
  memset(frontend->noise, 0, sizeof frontend->noise);
}

/* Windowed history -> bins, in the FFT's input order. Returns the largest magnitude. */
static uint32_t load_window(const AudioFrontendConfig* config, const int16_t* history,
                            AudioFrontendBin* bins) {
  memset(bins, 0, config->fft_size / 2 * sizeof *bins);
  int32_t peak = 0;
  for (size_t i = 0; i < config->window_samples; ++i) {
    const int32_t sample = (history[i] * config->window[i]) >> kWindowBits;
    const int32_t magnitude = sample < 0 ? -sample : sample;
    /* -32768 has no magnitude in 16 bits and is ignored. */
    if (magnitude > peak && magnitude <= INT16_MAX) peak = magnitude;
    AudioFrontendComplex* packed = &bins[config->fft_order[i / 2]].value;
    if (i % 2 == 0) {
      packed->real = (int16_t)sample;
    } else {
      packed->imaginary = (int16_t)sample;
    }
  }
  return (uint32_t)peak;
}

/* Scales the signal up so that the FFT uses all of its 16 bits. */
static void scale_up(AudioFrontendBin* bins, size_t count, unsigned shift) {
  for (size_t i = 0; i < count; ++i) {
    AudioFrontendComplex* value = &bins[i].value;
    value->real = (int16_t)(uint16_t)((uint32_t)(uint16_t)value->real << shift);
    value->imaginary = (int16_t)(uint16_t)((uint32_t)(uint16_t)value->imaginary << shift);
  }
}

bool audio_frontend_process(AudioFrontend* frontend, const int16_t* samples, size_t count, size_t* consumed,
                            uint16_t* features) {
  const AudioFrontendConfig* config = frontend->config;
  const size_t wanted = config->window_samples - frontend->held;
  const size_t taken = count < wanted ? count : wanted;
  if (taken > 0) memcpy(frontend->history + frontend->held, samples, taken * sizeof *samples);
  frontend->held += taken;
  *consumed = taken;
  if (frontend->held < config->window_samples) return false;

  const uint32_t peak = load_window(config, frontend->history, frontend->bins);
  frontend->held -= config->stride_samples;
  memmove(frontend->history, frontend->history + config->stride_samples,
          frontend->held * sizeof *frontend->history);

  const unsigned input_shift = 15 - audio_frontend_bit_length(peak);
  scale_up(frontend->bins, config->fft_size / 2, input_shift);
  audio_frontend_spectrum(config, frontend->bins);
  audio_frontend_bands(config, frontend->bins, input_shift, frontend->bands);
  audio_frontend_reduce_noise(config, frontend->noise, frontend->bands);
  audio_frontend_control_gain(config, frontend->noise, frontend->bands);
  audio_frontend_log(config, frontend->bands, features);
  return true;
}

uint32_t audio_frontend_noise(const AudioFrontend* frontend) {
  const AudioFrontendConfig* config = frontend->config;
  uint64_t sum = 0;
  for (size_t channel = 0; channel < config->channels; ++channel) {
    sum += frontend->noise[channel];
  }
  return (uint32_t)((sum / config->channels) >> config->smoothing_bits);
}

void audio_frontend_quantize(const uint16_t* features, size_t count, uint16_t multiplier, unsigned shift,
                             int32_t zero_point, int8_t* output) {
  for (size_t i = 0; i < count; ++i) {
    /* Rounds in two steps: adding half before one shift could overflow. */
    const uint32_t halves = ((uint32_t)features[i] * multiplier) >> (shift - 1);
    const uint32_t rounded = (halves + 1) >> 1;
    const int32_t value = (int32_t)(rounded < 255 ? rounded : 255) + zero_point;
    output[i] = (int8_t)(value < INT8_MAX ? value : INT8_MAX);
  }
}
