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
  register const int8_t* r2 __asm__("r2") = input + (quads & ~7) * kQuad;
  register uintptr_t r3 __asm__("r3") = (uintptr_t)sums;
  register int32_t rest __asm__("r4") = (quads & 7) * kQuad;
  __asm__ volatile(
      "push {r3, r4, r7}\n\t"
      "mov r8, #0\n\t"
      "mov r9, #0\n\t"
      "mov r10, #0\n\t"
      "mov r11, #0\n\t"
      "cmp r0, r2\n\t"
      "beq 2f\n"
      "1:\n\t" STEP STEP STEP STEP STEP STEP STEP STEP
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

/* Whole quartets of outputs of one scale; the assembly below depends on the order of the fields. */
typedef struct {
  const int8_t *input, *rounds_end, *input_end; /* rounds: eight quads */
  const int32_t* bias;
  int8_t *output, *output_end;
  int32_t multiplier, rounding, shift;
} Quartets;

/* `requantize` in place; r8 multiplier, r9 rounding, r10 shift, r11 is free. */
#define REQUANTIZE(sum)   \
  "smmlar r11, " sum      \
  ", r8, r9\n\t"          \
  "add r11, r11, " sum    \
  ", asr #31\n\t"         \
  "asr r11, r11, r10\n\t" \
  "ssat " sum ", #8, r11\n\t"

/* As above, with the job in r3. */
static __attribute__((noinline)) const int8_t* multiply_quartets(const int8_t* weights, Quartets* job) {
  register const int8_t* r1 __asm__("r1") = weights;
  register Quartets* r3 __asm__("r3") = job;
  __asm__ volatile(
      "push {r7}\n"
      "1:\n\t"
      "ldr r0, [r3]\n\t"
      "ldr r2, [r3, #4]\n\t"
      "mov r8, #0\n\t"
      "mov r9, #0\n\t"
      "mov r10, #0\n\t"
      "mov r11, #0\n\t"
      "cmp r0, r2\n\t"
      "beq 3f\n"
      "2:\n\t" STEP STEP STEP STEP STEP STEP STEP STEP
      "cmp r0, r2\n\t"
      "bne 2b\n"
      "3:\n\t"
      "ldr r2, [r3, #8]\n\t"
      "cmp r0, r2\n\t"
      "beq 5f\n"
      "4:\n\t" STEP
      "cmp r0, r2\n\t"
      "bne 4b\n"
      "5:\n\t"
      "ldr r0, [r3, #12]\n\t"
      "ldmia r0!, {r4-r7}\n\t"
      "str r0, [r3, #12]\n\t"
      "sub r8, r8, r10\n\t"
      "sub r9, r9, r11\n\t"
      "add r4, r4, r10, lsl #1\n\t"
      "add r5, r5, r8, asr #7\n\t" /* 256 times the sums, made twice the sums */
      "add r6, r6, r11, lsl #1\n\t"
      "add r7, r7, r9, asr #7\n\t"
      "ldr r8, [r3, #24]\n\t"
      "ldr r9, [r3, #28]\n\t"
      "ldr r10, [r3, #32]\n\t"
      REQUANTIZE("r4") REQUANTIZE("r5") REQUANTIZE("r6") REQUANTIZE("r7")
      "bfi r4, r5, #8, #8\n\t"
      "bfi r4, r6, #16, #8\n\t"
      "bfi r4, r7, #24, #8\n\t"
      "ldr r0, [r3, #16]\n\t"
      "ldr r2, [r3, #20]\n\t"
      "str r4, [r0], #4\n\t"
      "str r0, [r3, #16]\n\t"
      "cmp r0, r2\n\t"
      "bne 1b\n\t"
      "pop {r7}"
      : "+r"(r1), "+r"(r3)
      :
      : "r0", "r2", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
  return r1;
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

/* The outputs of one row from `bias`, `scale` and `to` on. */
static void multiply_rest(const tinyml_nn_dense* dense, const int8_t* input, const int8_t* weights,
                          const int32_t* bias, const int32_t* scale, int8_t* to, int32_t left) {
  const int32_t inputs = dense->inputs, quads = (inputs + kQuad - 1) / kQuad;
  const int32_t scale_step = dense->per_channel ? 2 : 0;
  const int one_part = inputs % kQuad == 0 && quads <= kChunkQuads;
  for (; left > 0; left -= kOutputs, weights += quads * kQuadBytes) {
    int32_t doubled[kOutputs];
    if (one_part) {
      doubled_sums(input, weights, quads, doubled);
    } else {
      doubled_sums_of_parts(input, weights, inputs, doubled);
    }
    for (int i = 0; i < kOutputs && i < left; ++i, scale += scale_step) {
      const int32_t multiplier = scale[0], shift = scale[1];
      const int32_t rounding = rounding_and_zero_point(dense->output_zero_point, shift);
      *to++ = requantize(*bias++ + doubled[i], multiplier, rounding, shift);
    }
  }
}

static void multiply_row(const tinyml_nn_dense* dense, const int8_t* input, const int8_t* weights,
                         const int32_t* bias, const int32_t* scale, int8_t* to) {
  int32_t left = dense->outputs;
#if TINYML_NN_DSP
  const int32_t inputs = dense->inputs, quads = inputs / kQuad;
  if (!dense->per_channel && inputs % kQuad == 0 && quads <= kChunkQuads && left >= kOutputs) {
    left %= kOutputs;
    Quartets job = {input,
                    input + (quads & ~7) * kQuad,
                    input + inputs,
                    bias,
                    to,
                    to + dense->outputs - left,
                    scale[0],
                    rounding_and_zero_point(dense->output_zero_point, scale[1]),
                    scale[1]};
    weights = multiply_quartets(weights, &job);
    bias = job.bias;
    to = job.output;
  }
#endif
  multiply_rest(dense, input, weights, bias, scale, to, left);
}

void tinyml_nn_fully_connected_s8(const tinyml_nn_dense* dense, const int8_t* input, const int8_t* weights,
                                  const int32_t* doubled_bias, const int32_t* scales, int8_t* output) {
  int8_t* to = output;
  for (int32_t row = 0; row < dense->rows; ++row, input += dense->inputs, to += dense->outputs) {
    multiply_row(dense, input, weights, doubled_bias, scales, to);
  }
  clamp_outputs(output, dense->rows * dense->outputs, &dense->activation);
}
