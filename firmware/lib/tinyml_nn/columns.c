/* Two output channels share each lane of the packed weights: lane = 256 * w1 + w0, so one SMLAD advances
 *
 *     both = 256 * sum(w1 * x) + sum(w0 * x)
 *
 * by two inputs. SXTB16 of the same word gives back w0, another SMLAD advances first = sum(w0 * x), and at
 * the end (both - first) / 256 = sum(w1 * x). Half the widening of weights is saved. Sums wrap modulo 2^32,
 * so this is exact while sum(w1 * x) fits 24 bits.
 */
#include "columns.h"

#include "requantize.h"

typedef struct {
  uint32_t both[kColumns], first[kColumns];
} Sums;

uint8_t* tinyml_nn_widen(const int8_t* values, int32_t quads, uint8_t* column) {
  for (; quads > 0; --quads) {
    const uint32_t quad = load_word(values);
    values += kQuad;
    store_word(column, widen_even(quad));
    store_word(column + kColumnStep, widen_odd(quad));
    column += 2 * kColumnStep;
  }
  return column;
}

#if TINYML_NN_DSP

#define STEP                         \
  "ldr %[w], [%[weights]], #4\n\t"   \
  "ldmia %[columns]!, {r4-r6}\n\t"   \
  "smlad %[b0], %[w], r4, %[b0]\n\t" \
  "smlad %[b1], %[w], r5, %[b1]\n\t" \
  "smlad %[b2], %[w], r6, %[b2]\n\t" \
  "sxtb16 %[w], %[w]\n\t"            \
  "smlad %[f0], %[w], r4, %[f0]\n\t" \
  "smlad %[f1], %[w], r5, %[f1]\n\t" \
  "smlad %[f2], %[w], r6, %[f2]\n\t"

/* Registers are what limits this loop: 13 of the 14 are in use. */
static inline Sums multiply(const uint8_t* columns, const int8_t* weights, int32_t quads) {
  uint32_t b0 = 0, b1 = 0, b2 = 0, f0 = 0, f1 = 0, f2 = 0, word;
  const int8_t* end = weights + (quads & ~3) * 2 * kWordBytes;
  if (weights != end) {
    __asm__ volatile("1:\n\t" STEP STEP STEP STEP STEP STEP STEP STEP
                     "cmp %[weights], %[end]\n\t"
                     "bne 1b"
                     : [b0] "+r"(b0), [b1] "+r"(b1), [b2] "+r"(b2), [f0] "+r"(f0), [f1] "+r"(f1),
                       [f2] "+r"(f2), [w] "=&r"(word), [weights] "+r"(weights), [columns] "+r"(columns)
                     : [end] "r"(end)
                     : "r4", "r5", "r6", "cc", "memory");
  }
  end += (quads & 3) * 2 * kWordBytes;
  if (weights != end) {
    __asm__ volatile("1:\n\t" STEP STEP
                     "cmp %[weights], %[end]\n\t"
                     "bne 1b"
                     : [b0] "+r"(b0), [b1] "+r"(b1), [b2] "+r"(b2), [f0] "+r"(f0), [f1] "+r"(f1),
                       [f2] "+r"(f2), [w] "=&r"(word), [weights] "+r"(weights), [columns] "+r"(columns)
                     : [end] "r"(end)
                     : "r4", "r5", "r6", "cc", "memory");
  }
  return (Sums){{b0, b1, b2}, {f0, f1, f2}};
}

#else

static inline Sums multiply(const uint8_t* columns, const int8_t* weights, int32_t quads) {
  Sums sums = {{0}, {0}};
  for (int32_t word = 0; word < 2 * quads; ++word, weights += kWordBytes, columns += kColumnStep) {
    const uint32_t both = load_word(weights), first = widen_even(both);
    for (int column = 0; column < kColumns; ++column) {
      const uint32_t inputs = load_word(columns + column * kWordBytes);
      sums.both[column] = multiply_lanes(both, inputs, sums.both[column]);
      sums.first[column] = multiply_lanes(first, inputs, sums.first[column]);
    }
  }
  return sums;
}

#endif

void tinyml_nn_multiply_columns(const tinyml_nn_window* window, const uint8_t* columns, int32_t count,
                                int32_t quads, const int8_t* weights, const int32_t* channels,
                                int8_t* output) {
  const int32_t outputs = window->output_channels;
  /* Columns that are not there write where column 0 writes, before it. */
  int8_t* const output1 = output + (count > 1 ? outputs : 0);
  int8_t* const output2 = output + (count > 2 ? 2 * outputs : 0);
  for (int32_t channel = 0; channel < outputs; channel += 2) {
    const Sums sums = multiply(columns, weights, quads);
    weights += quads * 2 * kWordBytes;
    {
      const int32_t bias = channels[kDoubledBias], multiplier = channels[kMultiplier];
      const int32_t shift = channels[kShift];
      const int32_t rounding = rounding_and_zero_point(window->output_zero_point, shift);
      output2[channel] = requantize(bias + (int32_t)(sums.first[2] << 1), multiplier, rounding, shift);
      output1[channel] = requantize(bias + (int32_t)(sums.first[1] << 1), multiplier, rounding, shift);
      output[channel] = requantize(bias + (int32_t)(sums.first[0] << 1), multiplier, rounding, shift);
    }
    channels += kChannelWords;
    if (channel + 1 == outputs) break;
    {
      const int32_t bias = channels[kDoubledBias], multiplier = channels[kMultiplier];
      const int32_t shift = channels[kShift];
      const int32_t rounding = rounding_and_zero_point(window->output_zero_point, shift);
      const int32_t second2 = (int32_t)(sums.both[2] - sums.first[2]) >> 7; /* doubled */
      const int32_t second1 = (int32_t)(sums.both[1] - sums.first[1]) >> 7;
      const int32_t second0 = (int32_t)(sums.both[0] - sums.first[0]) >> 7;
      output2[channel + 1] = requantize(bias + second2, multiplier, rounding, shift);
      output1[channel + 1] = requantize(bias + second1, multiplier, rounding, shift);
      output[channel + 1] = requantize(bias + second0, multiplier, rounding, shift);
    }
    channels += kChannelWords;
  }
}
