#include "signal_features.h"

enum { kTrigBits = 14, kLogFractionBits = 8, kMantissaBits = 15 };

size_t signal_feature_count(const SignalConfig* config) {
  const size_t each = config->bands == 0 ? config->window_samples : SIGNAL_SUMMARY_FEATURES + config->bands;
  return each * config->channels;
}

int32_t signal_log2_q8(uint64_t value) {
  int32_t exponent = 0;
  while (value >> exponent > 1) {
    ++exponent;
  }
  uint64_t mantissa =
      exponent > kMantissaBits ? value >> (exponent - kMantissaBits) : value << (kMantissaBits - exponent);
  int32_t result = exponent;
  /* Each squaring gives one more binary digit of the logarithm. */
  for (int i = 0; i < kLogFractionBits; ++i) {
    mantissa = (mantissa * mantissa) >> kMantissaBits;
    const int32_t digit = (int32_t)(mantissa >> (kMantissaBits + 1));
    mantissa >>= digit;
    result = 2 * result + digit;
  }
  return result;
}

static uint64_t square(int64_t value) {
  return (uint64_t)(value * value);
}

static int32_t channel_mean(const SignalConfig* config, const int16_t* samples) {
  int32_t sum = 0;
  for (size_t i = 0; i < config->window_samples; ++i) {
    sum += samples[i * config->channels];
  }
  int32_t shift = 0;
  while (config->window_samples >> shift > 1) {
    ++shift;
  }
  return sum >> shift;
}

/* Energy of one bin of the spectrum. */
static uint64_t bin_power(const SignalConfig* config, const int32_t* windowed, size_t bin) {
  const size_t mask = config->window_samples - 1u;
  const size_t quarter = config->window_samples / 4u;
  int64_t real = 0;
  int64_t imaginary = 0;
  size_t phase = 0;
  for (size_t i = 0; i < config->window_samples; ++i) {
    real += (int64_t)windowed[i] * config->cosine[phase];
    imaginary += (int64_t)windowed[i] * config->cosine[(phase + quarter) & mask];
    phase = (phase + bin) & mask;
  }
  return square(real >> kTrigBits) + square(imaginary >> kTrigBits);
}

/* In place: the Hann window. */
static void taper(const SignalConfig* config, int32_t* centred) {
  for (size_t i = 0; i < config->window_samples; ++i) {
    const int32_t weight = ((1 << kTrigBits) - config->cosine[i]) >> 1;
    centred[i] = (int32_t)(((int64_t)centred[i] * weight) >> kTrigBits);
  }
}

static void channel_bands(const SignalConfig* config, int32_t* centred, uint64_t floor, int32_t* features) {
  const size_t bins = config->window_samples / 2u - 1u;
  taper(config, centred);
  size_t bin = 1;
  for (size_t band = 0; band < config->bands; ++band) {
    const size_t end = 1u + (band + 1u) * bins / config->bands;
    uint64_t power = floor;
    for (; bin < end; ++bin) {
      power += bin_power(config, centred, bin);
    }
    features[band] = signal_log2_q8(power);
  }
}

static void channel_features(const SignalConfig* config, const int16_t* samples, int32_t* features) {
  int32_t centred[SIGNAL_MAX_WINDOW];
  const int32_t mean = channel_mean(config, samples);
  const uint64_t floor = square(config->floor_lsb) * config->window_samples;
  uint64_t energy = floor;
  uint64_t difference = floor;
  uint64_t peak = 0;
  for (size_t i = 0; i < config->window_samples; ++i) {
    centred[i] = samples[i * config->channels] - mean;
    const uint64_t power = square(centred[i]);
    energy += power;
    difference += i > 0 ? square(centred[i] - centred[i - 1]) : 0;
    peak = power > peak ? power : peak;
  }
  features[0] = mean;
  features[1] = signal_log2_q8(energy);
  features[2] = signal_log2_q8(difference);
  features[3] = signal_log2_q8(peak * config->window_samples + floor) - features[1];
  channel_bands(config, centred, floor, features + SIGNAL_SUMMARY_FEATURES);
}

void signal_features(const SignalConfig* config, const int16_t* samples, int32_t* features) {
  if (config->bands == 0) {
    for (size_t i = 0; i < (size_t)config->window_samples * config->channels; ++i) {
      features[i] = samples[i];
    }
    return;
  }
  for (size_t channel = 0; channel < config->channels; ++channel) {
    channel_features(config, samples + channel,
                     features + channel * (SIGNAL_SUMMARY_FEATURES + (size_t)config->bands));
  }
}

void signal_standardize(const int32_t* features, size_t count, const int32_t* offsets,
                        const int32_t* multipliers, unsigned shift, int32_t zero_point, int8_t* output) {
  const int64_t half = (int64_t)1 << (shift - 1);
  for (size_t i = 0; i < count; ++i) {
    const int64_t scaled = (((int64_t)features[i] - offsets[i]) * multipliers[i] + half) >> shift;
    const int64_t value = scaled + zero_point;
    output[i] = (int8_t)(value < INT8_MIN ? INT8_MIN : value > INT8_MAX ? INT8_MAX : value);
  }
}
