/* FULLY_CONNECTED: four outputs at a time, two in each lane of the packed weights as columns.c explains.
 *
 * Weights are [outputs / 4][inputs / 4][4] words: for inputs 0 and 2 the first and the second pair of
 * outputs, then the same for inputs 1 and 3. Inputs are widened as they are read, so no working memory is
 * needed.
 */
#include "tinyml_nn_convolution.h"

#include "requantize.h"

/* 512 products of int8 fit the 24 bits that a sum in the upper half of a lane may take. */
enum { kOutputs = 4, kQuad = 4, kQuadBytes = kOutputs * kQuad, kChunkQuads = 512 / kQuad };

/* Of both outputs of the first and the second pair, and of the first output of each. */
typedef struct {
  uint32_t both0, both1, first0, first1;
} Sums;

#if TINYML_NN_DSP

#define STEP                                \
  "ldr %[x], [%[input]], #4\n\t"            \
  "ldmia %[weights]!, {r4, r5, r6, r8}\n\t" \
  "sxtb16 %[even], %[x]\n\t"                \
  "sxtb16 %[x], %[x], ror #8\n\t"           \
  "smlad %[b0], r4, %[even], %[b0]\n\t"     \
  "smlad %[b1], r5, %[even], %[b1]\n\t"     \
  "sxtb16 r4, r4\n\t"                       \
  "sxtb16 r5, r5\n\t"                       \
  "smlad %[f0], r4, %[even], %[f0]\n\t"     \
  "smlad %[f1], r5, %[even], %[f1]\n\t"     \
  "smlad %[b0], r6, %[x], %[b0]\n\t"        \
  "smlad %[b1], r8, %[x], %[b1]\n\t"        \
  "sxtb16 r6, r6\n\t"                       \
  "sxtb16 r8, r8\n\t"                       \
  "smlad %[f0], r6, %[x], %[f0]\n\t"        \
  "smlad %[f1], r8, %[x], %[f1]\n\t"

#define LOOP(STEPS)                                                                                    \
  __asm__ volatile("1:\n\t" STEPS                                                                      \
                   "cmp %[input], %[end]\n\t"                                                          \
                   "bne 1b"                                                                            \
                   : [b0] "+r"(s.both0), [b1] "+r"(s.both1), [f0] "+r"(s.first0), [f1] "+r"(s.first1), \
                     [x] "=&r"(x), [even] "=&r"(even), [input] "+r"(input), [weights] "+r"(weights)    \
                   : [end] "r"(end)                                                                    \
                   : "r4", "r5", "r6", "r8", "cc", "memory")

static __attribute__((noinline)) Sums multiply(const int8_t* input, const int8_t* weights, int32_t quads) {
  Sums s = {0, 0, 0, 0};
  uint32_t x, even;
  const int8_t* end = input + (quads & ~3) * kQuad;
  if (input != end) LOOP(STEP STEP STEP STEP);
  end += (quads & 3) * kQuad;
  if (input != end) LOOP(STEP);
  return s;
}

#else

static inline Sums multiply(const int8_t* input, const int8_t* weights, int32_t quads) {
  Sums s = {0, 0, 0, 0};
  for (; quads > 0; --quads, input += kQuad, weights += kQuadBytes) {
    const uint32_t quad = load_word(input);
    for (int half = 0; half < 2; ++half) {
      const uint32_t x = half == 0 ? widen_even(quad) : widen_odd(quad);
      const uint32_t w0 = load_word(weights + 8 * half), w1 = load_word(weights + 8 * half + 4);
      s.both0 = multiply_lanes(w0, x, s.both0);
      s.both1 = multiply_lanes(w1, x, s.both1);
      s.first0 = multiply_lanes(widen_even(w0), x, s.first0);
      s.first1 = multiply_lanes(widen_even(w1), x, s.first1);
    }
  }
  return s;
}

#endif

/* Twice the sums of four outputs over a run of inputs. */
static inline void doubled_sums(const int8_t* input, const int8_t* weights, int32_t quads,
                                int32_t doubled[kOutputs]) {
  const Sums s = multiply(input, weights, quads);
  doubled[0] = (int32_t)(s.first0 << 1);
  doubled[1] = (int32_t)(s.both0 - s.first0) >> 7;
  doubled[2] = (int32_t)(s.first1 << 1);
  doubled[3] = (int32_t)(s.both1 - s.first1) >> 7;
}

/* The same over a row that is long or does not end in a whole quad; weights beyond its end are 0. */
static __attribute__((noinline)) void doubled_sums_of_parts(const int8_t* input, const int8_t* weights,
                                                            int32_t inputs, int32_t doubled[kOutputs]) {
  for (int i = 0; i < kOutputs; ++i) doubled[i] = 0;
  while (inputs > 0) {
    const int32_t quads = inputs / kQuad < kChunkQuads ? inputs / kQuad : kChunkQuads;
    int32_t part[kOutputs];
    if (quads > 0) {
      doubled_sums(input, weights, quads, part);
    } else {
      int8_t last[kQuad] = {0};
      for (int32_t i = 0; i < inputs; ++i) last[i] = input[i];
      doubled_sums(last, weights, 1, part);
    }
    for (int i = 0; i < kOutputs; ++i) doubled[i] += part[i];
    inputs -= quads > 0 ? quads * kQuad : inputs;
    input += quads * kQuad;
    weights += quads * kQuadBytes;
  }
}

void tinyml_nn_fully_connected_s8(const tinyml_nn_dense* dense, const int8_t* input, const int8_t* weights,
                                  const int32_t* doubled_bias, const int32_t* scales, int8_t* output) {
  const int32_t inputs = dense->inputs, outputs = dense->outputs, zero_point = dense->output_zero_point;
  const int32_t quads = (inputs + kQuad - 1) / kQuad, scale_step = dense->per_channel ? 2 : 0;
  const int one_part = inputs % kQuad == 0 && quads <= kChunkQuads;
  int8_t* to = output;
  for (int32_t row = 0; row < dense->rows; ++row, input += inputs) {
    const int8_t* group = weights;
    const int32_t *bias = doubled_bias, *scale = scales;
    for (int8_t* const end = to + outputs; to != end; group += quads * kQuadBytes) {
      int32_t doubled[kOutputs];
      if (one_part) {
        doubled_sums(input, group, quads, doubled);
      } else {
        doubled_sums_of_parts(input, group, inputs, doubled);
      }
      for (int i = 0; i < kOutputs && to != end; ++i, scale += scale_step) {
        const int32_t multiplier = scale[0], shift = scale[1];
        const int32_t rounding = rounding_and_zero_point(zero_point, shift);
        *to++ = requantize(*bias++ + doubled[i], multiplier, rounding, shift);
      }
    }
  }
  clamp_outputs(output, dense->rows * outputs, &dense->activation);
}
