#include <string.h>

#include "tinyml_nn_signal.h"

void tinyml_nn_signal_energy(const int16_t* bins, int32_t start, int32_t end, uint32_t* output,
                             int32_t count) {
  memset(output, 0, (size_t)count * sizeof *output);
  for (int32_t i = start; i < end; ++i) {
    const int32_t real = bins[2 * i], imaginary = bins[2 * i + 1];
    output[i] = (uint32_t)(real * real) + (uint32_t)(imaginary * imaginary);
  }
}

void tinyml_nn_signal_filter_bank(const tinyml_nn_signal_filter_bank_params* params, const uint32_t* energies,
                                  void* output) {
  uint8_t* to = output;
  uint64_t carried = 0;
  for (int32_t channel = 0; channel <= params->channels; ++channel) {
    const uint32_t* energy = energies + params->first_bins[channel];
    const int32_t first = params->first_weights[channel];
    uint64_t above = carried, below = 0;
    for (int32_t i = 0; i < params->widths[channel]; ++i) {
      above += (uint64_t)params->weights[first + i] * energy[i];
      below += (uint64_t)params->unweights[first + i] * energy[i];
    }
    carried = below;
    if (channel == 0) continue; /* below the first channel */
    memcpy(to, &above, sizeof above);
    to += sizeof above;
  }
}

/* Digit by digit, rounded to nearest; roots of 32-bit numbers stop at 65535. */
static uint32_t rounded_root(uint64_t value) {
  const uint64_t largest = value >> 32 ? UINT32_MAX : UINT16_MAX;
  uint64_t root = 0, bit = UINT64_C(1) << 62;
  while (bit > value) bit >>= 2;
  for (; bit; bit >>= 2) {
    const uint64_t trial = root + bit;
    root >>= 1;
    if (value >= trial) {
      value -= trial;
      root += bit;
    }
  }
  return (uint32_t)(value > root && root != largest ? root + 1 : root);
}

void tinyml_nn_signal_square_root(const void* input, int32_t shift, uint32_t* output, int32_t count) {
  const uint8_t* from = input;
  for (int32_t i = 0; i < count; ++i, from += sizeof(uint64_t)) {
    uint64_t value;
    memcpy(&value, from, sizeof value);
    output[i] = rounded_root(value) >> shift;
  }
}
