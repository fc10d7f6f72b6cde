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

static inline void widen_quad(const int8_t* values, uint8_t* column) {
  const uint32_t quad = load_word(values);
  store_word(column, widen_even(quad));
  store_word(column + kColumnStep, widen_odd(quad));
}

uint8_t* tinyml_nn_widen(const int8_t* values, int32_t quads, uint8_t* column) {
  for (; quads >= 4; quads -= 4, values += 4 * kQuad, column += 8 * kColumnStep) {
    for (int quad = 0; quad < 4; ++quad) widen_quad(values + quad * kQuad, column + 2 * quad * kColumnStep);
  }
  for (; quads > 0; --quads, values += kQuad, column += 2 * kColumnStep) widen_quad(values, column);
  return column;
}

/* The assembly below depends on the order of the fields. */
typedef struct {
  const uint8_t* columns;
  /* Of a channel pair's weights after the first quad: whole rounds of 8 words, and the rest. */
  int32_t long_bytes, short_bytes;
  int32_t target1, target2; /* from column 0's outputs to those of the other columns */
  const int32_t* channels_end;
  int8_t* output;
} Job;

#if TINYML_NN_DSP

/* Two inputs of each column times two channels; `multiply` is smlad, or smuad for the first ones. */
#define STEP_OF(multiply, a, b, c, d, e, f)                                                         \
  "ldr r7, [r1], #4\n\t"                                                                            \
  "ldmia r2!, {r4-r6}\n\t" multiply " r8, r7, r4" a "\n\t" multiply " r9, r7, r5" b "\n\t" multiply \
  " r10, r7, r6" c                                                                                  \
  "\n\t"                                                                                            \
  "sxtb16 r7, r7\n\t" multiply " r11, r7, r4" d "\n\t" multiply " r12, r7, r5" e "\n\t" multiply    \
  " lr, r7, r6" f "\n\t"
#define FIRST_STEP STEP_OF("smuad", "", "", "", "", "", "")
#define STEP STEP_OF("smlad", ", r8", ", r9", ", r10", ", r11", ", r12", ", lr")
/* `requantize` of doubled sums; r2 is free, r4 multiplier, r5 rounding, r6 shift. */
#define REQUANTIZE_ONE(sum) \
  "smmlar r2, " sum         \
  ", r4, r5\n\t"            \
  "add r2, r2, " sum        \
  ", asr #31\n\t"           \
  "asr r2, r2, r6\n\t"      \
  "ssat " sum ", #8, r2\n\t"
#define REQUANTIZE(a, b, c) REQUANTIZE_ONE(a) REQUANTIZE_ONE(b) REQUANTIZE_ONE(c)
/* r7 is the address of column 0's output. */
#define PUT(a, b, c)           \
  "ldrd r2, r3, [sp, #12]\n\t" \
  "strb " c                    \
  ", [r7, r3]\n\t"             \
  "strb " b                    \
  ", [r7, r2]\n\t"             \
  "strb " a ", [r7], #1\n\t"

/* Every register is in use: r0 channels, r1 weights, r2 columns, r3 end of a round of weights, r4-r6
 * inputs, r7 weights, r8-r10 sums of both channels, r11, r12, lr sums of the first. The job is on the
 * stack. r7 may be the frame pointer, so it is saved here. */
static __attribute__((noinline)) void multiply_pairs(const int32_t* channels, const int8_t* weights,
                                                     const Job* job) {
  register const int32_t* r0 __asm__("r0") = channels;
  register const int8_t* r1 __asm__("r1") = weights;
  register const Job* r2 __asm__("r2") = job;
  __asm__ volatile(
      "push {r7}\n\t"
      "ldmia r2, {r4-r10}\n\t"
      "push {r4-r10}\n"
      "1:\n\t"
      "ldrd r2, r3, [sp]\n\t" FIRST_STEP STEP
      "add r3, r3, r1\n\t"
      "cmp r1, r3\n\t"
      "beq 3f\n"
      "2:\n\t" STEP STEP STEP STEP STEP STEP STEP STEP
      "cmp r1, r3\n\t"
      "bne 2b\n"
      "3:\n\t"
      "ldr r7, [sp, #8]\n\t"
      "add r3, r3, r7\n\t"
      "cmp r1, r3\n\t"
      "beq 5f\n"
      "4:\n\t" STEP STEP
      "cmp r1, r3\n\t"
      "bne 4b\n"
      "5:\n\t"
      "ldmia r0!, {r2, r4-r6}\n\t" /* doubled bias, multiplier, rounding, shift */
      "sub r8, r8, r11\n\t"
      "sub r9, r9, r12\n\t"
      "sub r10, r10, lr\n\t"
      "add r11, r2, r11, lsl #1\n\t"
      "add r12, r2, r12, lsl #1\n\t"
      "add lr, r2, lr, lsl #1\n\t" REQUANTIZE("r11", "r12", "lr")
      "ldr r7, [sp, #24]\n\t" PUT("r11", "r12", "lr")
      "ldr r2, [sp, #20]\n\t"
      "cmp r0, r2\n\t"
      "beq 6f\n\t"
      "ldmia r0!, {r2, r4-r6}\n\t"
      "add r8, r2, r8, asr #7\n\t" /* 256 times the sums, made twice the sums */
      "add r9, r2, r9, asr #7\n\t"
      "add r10, r2, r10, asr #7\n\t" REQUANTIZE("r8", "r9", "r10") PUT("r8", "r9", "r10")
      "str r7, [sp, #24]\n\t"
      "ldr r2, [sp, #20]\n\t"
      "cmp r0, r2\n\t"
      "bne 1b\n"
      "6:\n\t"
      "add sp, sp, #28\n\t"
      "pop {r7}"
      : "+r"(r0), "+r"(r1), "+r"(r2)
      :
      : "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}

#else

static void put(const Job* job, int32_t channel, const int32_t* constants, const int32_t* doubled) {
  const int32_t bias = constants[kDoubledBias], multiplier = constants[kMultiplier];
  const int32_t shift = constants[kShift], rounding = constants[kRounding];
  int8_t* const to = job->output + channel;
  to[job->target2] = requantize(bias + doubled[2], multiplier, rounding, shift);
  to[job->target1] = requantize(bias + doubled[1], multiplier, rounding, shift);
  to[0] = requantize(bias + doubled[0], multiplier, rounding, shift);
}

static void multiply_pairs(const int32_t* channels, const int8_t* weights, const Job* job) {
  for (int32_t channel = 0; channels != job->channels_end; channel += 2) {
    uint32_t both[kColumns] = {0}, first[kColumns] = {0};
    const uint8_t* inputs = job->columns;
    const int8_t* const end = weights + 2 * kWordBytes + job->long_bytes + job->short_bytes;
    for (; weights != end; weights += kWordBytes) {
      const uint32_t pair = load_word(weights), low = widen_even(pair);
      for (int column = 0; column < kColumns; ++column, inputs += kWordBytes) {
        both[column] = multiply_lanes(pair, load_word(inputs), both[column]);
        first[column] = multiply_lanes(low, load_word(inputs), first[column]);
      }
    }
    int32_t doubled[2][kColumns];
    for (int column = 0; column < kColumns; ++column) {
      doubled[0][column] = (int32_t)(first[column] << 1);
      doubled[1][column] = (int32_t)(both[column] - first[column]) >> 7;
    }
    for (int half = 0; half < 2 && channels != job->channels_end; ++half, channels += kChannelWords) {
      put(job, channel + half, channels, doubled[half]);
    }
  }
}

#endif

void tinyml_nn_multiply_columns(const tinyml_nn_window* window, const uint8_t* columns, int32_t count,
                                int32_t quads, const int8_t* weights, const int32_t* channels,
                                int8_t* output) {
  const int32_t outputs = window->output_channels;
  /* Missing columns write to column 0's output, before it does. */
  const Job job = {columns,
                   ((quads - 1) & ~3) * 2 * kWordBytes,
                   ((quads - 1) & 3) * 2 * kWordBytes,
                   count > 1 ? outputs : 0,
                   count > 2 ? 2 * outputs : 0,
                   channels + outputs * kChannelWords,
                   output};
  multiply_pairs(channels, weights, &job);
}
