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

/* Four inputs times four outputs. */
#define STEP                    \
  "ldr r12, [r0], #4\n\t"       \
  "ldmia r1!, {r4-r7}\n\t"      \
  "sxtb16 lr, r12\n\t"          \
  "sxtb16 r12, r12, ror #8\n\t" \
  "smlad r8, r4, lr, r8\n\t"    \
  "smlad r9, r5, lr, r9\n\t"    \
  "sxtb16 r4, r4\n\t"           \
  "sxtb16 r5, r5\n\t"           \
  "smlad r10, r4, lr, r10\n\t"  \
  "smlad r11, r5, lr, r11\n\t"  \
  "smlad r8, r6, r12, r8\n\t"   \
  "smlad r9, r7, r12, r9\n\t"   \
  "sxtb16 r6, r6\n\t"           \
  "sxtb16 r7, r7\n\t"           \
  "smlad r10, r6, r12, r10\n\t" \
  "smlad r11, r7, r12, r11\n\t"

/* r0 input, r1 weights, r2 where a round of inputs ends, r4-r7 weights, r8-r11 sums, r12 and lr inputs. r7
 * may be the frame pointer, so it is saved here. */
static __attribute__((noinline)) void multiply_quartet(const int8_t* input, const int8_t* weights,
                                                       int32_t quads, Sums* sums) {
  register const int8_t* r0 __asm__("r0") = input;
  register const int8_t* r1 __asm__("r1") = weights;
  register const int8_t* r2 __asm__("r2") = input + (quads & ~3) * kQuad;
  register uintptr_t r3 __asm__("r3") = (uintptr_t)sums;
  register int32_t rest __asm__("r4") = (quads & 3) * kQuad;
  __asm__ volatile(
      "push {r3, r4, r7}\n\t"
      "mov r8, #0\n\t"
      "mov r9, #0\n\t"
      "mov r10, #0\n\t"
      "mov r11, #0\n\t"
      "cmp r0, r2\n\t"
      "beq 2f\n"
      "1:\n\t" STEP STEP STEP STEP
      "cmp r0, r2\n\t"
      "bne 1b\n"
      "2:\n\t"
      "ldr r3, [sp, #4]\n\t"
      "add r2, r2, r3\n\t"
      "cmp r0, r2\n\t"
      "beq 4f\n"
      "3:\n\t" STEP
      "cmp r0, r2\n\t"
      "bne 3b\n"
      "4:\n\t"
      "pop {r3, r4, r7}\n\t"
      "stmia r3, {r8-r11}"
      : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(rest)
      :
      : "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}

#else

static void multiply_quartet(const int8_t* input, const int8_t* weights, int32_t quads, Sums* sums) {
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
  *sums = s;
}

#endif

/* Twice the sums of four outputs over a run of inputs. */
static inline void doubled_sums(const int8_t* input, const int8_t* weights, int32_t quads,
                                int32_t doubled[kOutputs]) {
  Sums s;
  multiply_quartet(input, weights, quads, &s);
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
