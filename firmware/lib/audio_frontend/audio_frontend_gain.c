/* The steps after the filter bank, channel by channel: noise reduction, gain control, logarithm. */
#include "audio_frontend_stages.h"

enum {
  kNoiseBits = 14,
  kSnrBits = 12,
  kOutputBits = 6,
  kOctaveBits = 11, /* bit length of a noise estimate whose position in its octave needs no shift */
  kSegmentBits = 9,
  kLn2Q16 = 45426,
};

void audio_frontend_reduce_noise(const AudioFrontendConfig* config, uint32_t* noise, uint32_t* bands) {
  const unsigned bits = config->smoothing_bits;
  for (size_t channel = 0; channel < config->channels; ++channel) {
    const uint32_t share = channel % 2 == 0 ? config->even_smoothing : config->odd_smoothing;
    const uint32_t band = bands[channel];
    const uint32_t scaled_up = band << bits;
    const uint64_t mixed =
        (uint64_t)scaled_up * share + (uint64_t)noise[channel] * ((1u << kNoiseBits) - share);
    const uint32_t estimate = (uint32_t)(mixed >> kNoiseBits);
    noise[channel] = estimate;
    const uint32_t clean = estimate < scaled_up ? (scaled_up - estimate) >> bits : 0;
    const uint32_t least = (uint32_t)(((uint64_t)band * config->min_signal_remaining) >> kNoiseBits);
    bands[channel] = clean > least ? clean : least;
  }
}

static uint32_t gain_at(const AudioFrontendGain* octaves, uint32_t noise) {
  const unsigned bits = audio_frontend_bit_length(noise);
  const AudioFrontendGain* octave = &octaves[bits];
  const int32_t position =
      (int32_t)(bits < kOctaveBits ? noise << (kOctaveBits - bits) : noise >> (bits - kOctaveBits)) & 0x3FF;
  const int32_t slope = ((octave->curvature * position) >> 5) + octave->slope * 32;
  return (uint32_t)(int16_t)(((slope * position + (1 << 14)) >> 15) + octave->value);
}

void audio_frontend_control_gain(const AudioFrontendConfig* config, const uint32_t* noise, uint32_t* bands) {
  for (size_t channel = 0; channel < config->channels; ++channel) {
    const uint32_t gain = gain_at(config->gain, noise[channel]);
    const uint32_t snr = (uint32_t)(((uint64_t)bands[channel] * gain) >> config->snr_shift);
    /* Quadratic below an SNR of 2, linear above; both meet there. */
    bands[channel] = snr < (2u << kSnrBits) ? (snr * snr) >> (2 + 2 * kSnrBits - kOutputBits)
                                            : (snr >> (kSnrBits - kOutputBits)) - (1u << kOutputBits);
  }
}

/* Natural logarithm of value >= 2, times 2^scale_shift: one line per octave, corrected by a table. */
static uint32_t scaled_log(const uint16_t* log2_error, uint32_t value, unsigned scale_shift) {
  const unsigned octave = audio_frontend_bit_length(value) - 1;
  const uint32_t above = value - (1u << octave);
  const uint32_t fraction = octave < 16 ? above << (16 - octave) : above >> (octave - 16);
  const uint32_t segment = fraction >> kSegmentBits;
  const int32_t start = log2_error[segment];
  const int32_t rise = log2_error[segment + 1] - start;
  const int32_t position = (int32_t)(fraction & ((1u << kSegmentBits) - 1));
  const uint32_t log2_q16 = (octave << 16) + fraction + (uint32_t)(start + ((rise * position) >> 16));
  const uint32_t natural = (uint32_t)(((uint64_t)kLn2Q16 * log2_q16 + (1u << 15)) >> 16);
  return ((natural << scale_shift) + (1u << 15)) >> 16;
}

void audio_frontend_log(const AudioFrontendConfig* config, const uint32_t* bands, uint16_t* features) {
  for (size_t channel = 0; channel < config->channels; ++channel) {
    const uint32_t value = bands[channel] << config->correction_bits;
    const uint32_t result = value > 1 ? scaled_log(config->log2_error, value, config->log_scale_shift) : 0;
    features[channel] = (uint16_t)(result < UINT16_MAX ? result : UINT16_MAX);
  }
}
