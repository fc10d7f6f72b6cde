#include "exponential.h"
#include "tinyml_nn_signal.h"

enum {
  kSnrBits = 12,
  kOutputBits = 6,
  kOctaveBits = 11,
  kOctaveMask = 0x3FF,
  kSegmentBits = 9,
  kLn2Q16 = 45426
};

void tinyml_nn_signal_subtract_noise(const tinyml_nn_signal_subtraction* params, const uint32_t* input,
                                     uint32_t* noise, uint32_t* output, int32_t count) {
  const tinyml_nn_signal_subtraction p = *params;
  for (int32_t i = 0; i < count; ++i) {
    const uint32_t scaled_up = input[i] << p.smoothing_bits;
    const uint64_t mixed =
        (uint64_t)scaled_up * p.smoothing[i & 1] + (uint64_t)noise[i] * p.one_minus_smoothing[i & 1];
    uint32_t estimate = (uint32_t)(mixed >> p.fraction_bits);
    noise[i] = estimate;
    if (estimate > scaled_up) {
      estimate = scaled_up;
      if (p.clamping) noise[i] = estimate;
    }
    const uint32_t least = (uint32_t)(((uint64_t)input[i] * p.min_signal_remaining) >> p.fraction_bits);
    const uint32_t clean = (scaled_up - estimate) >> p.smoothing_bits;
    output[i] = clean > least ? clean : least;
  }
}

static inline int32_t bit_length(uint32_t x) {
  return x ? 32 - leading_zeros(x) : 0;
}

/* Three words an octave of the noise: value, slope and curvature; two single values before. */
static uint32_t gain_at(const int16_t* gains, uint32_t noise) {
  if (noise <= 2) return (uint32_t)(int32_t)gains[noise];
  const int32_t bits = bit_length(noise);
  const int16_t* octave = gains + 4 * bits - 6;
  const int32_t position =
      (int32_t)(bits < kOctaveBits ? noise << (kOctaveBits - bits) : noise >> (bits - kOctaveBits)) &
      kOctaveMask;
  const int32_t slope = ((octave[2] * position) >> 5) + octave[1] * 32;
  return (uint32_t)(int16_t)(((slope * position + (1 << 14)) >> 15) + octave[0]);
}

void tinyml_nn_signal_pcan(const int16_t* gains, int32_t snr_shift, const uint32_t* input,
                           const uint32_t* noise, uint32_t* output, int32_t count) {
  for (int32_t i = 0; i < count; ++i) {
    const uint32_t snr = (uint32_t)(((uint64_t)input[i] * gain_at(gains, noise[i])) >> snr_shift);
    /* Quadratic below an SNR of 2, linear above; both meet there. */
    output[i] = snr < (2u << kSnrBits) ? (snr * snr) >> (2 + 2 * kSnrBits - kOutputBits)
                                       : (snr >> (kSnrBits - kOutputBits)) - (1u << kOutputBits);
  }
}

/* One line an octave, corrected by a table. */
static uint32_t scaled_log(const int16_t* log2_error, uint32_t value, uint32_t scale) {
  const int32_t octave = bit_length(value) - 1;
  const uint32_t above = value - (UINT32_C(1) << octave);
  const uint32_t fraction = octave < 16 ? above << (16 - octave) : above >> (octave - 16);
  const uint32_t segment = fraction >> kSegmentBits;
  const int32_t start = log2_error[segment], rise = log2_error[segment + 1] - start;
  const int32_t position = (int32_t)(fraction & ((1u << kSegmentBits) - 1));
  const uint32_t log2_q16 =
      ((uint32_t)octave << 16) + fraction + (uint32_t)(start + ((rise * position) >> 16));
  const uint32_t natural = (uint32_t)(((uint64_t)kLn2Q16 * log2_q16 + (1u << 15)) >> 16);
  return (scale * natural + (1u << 15)) >> 16;
}

void tinyml_nn_signal_log(const int16_t log2_error[129], uint32_t correction_bits, uint32_t scale,
                          const uint32_t* input, int16_t* output, int32_t count) {
  for (int32_t i = 0; i < count; ++i) {
    const uint32_t value = input[i] << correction_bits;
    const uint32_t result = value > 1 ? scaled_log(log2_error, value, scale) : 0;
    output[i] = (int16_t)(result < INT16_MAX ? result : INT16_MAX);
  }
}
