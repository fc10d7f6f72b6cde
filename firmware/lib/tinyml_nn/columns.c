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

static inline uint8_t* widen(const int8_t* values, int32_t quads, uint8_t* column) {
  for (; quads >= 4; quads -= 4, values += 4 * kQuad, column += 8 * kColumnStep) {
    for (int quad = 0; quad < 4; ++quad) widen_quad(values + quad * kQuad, column + 2 * quad * kColumnStep);
  }
  for (; quads > 0; --quads, values += kQuad, column += 2 * kColumnStep) widen_quad(values, column);
  return column;
}

uint8_t* tinyml_nn_widen(const int8_t* values, int32_t quads, uint8_t* column) {
  return widen(values, quads, column);
}

uint8_t* tinyml_nn_widen_rows(const int8_t* row, int32_t rows, int32_t row_step, int32_t quads,
                              uint8_t* column) {
  for (; rows > 0; --rows, row += row_step) column = widen(row, quads, column);
  return column;
}

#if TINYML_NN_DSP

/* The assembly below depends on the order of the fields. */
typedef struct {
  const int8_t* rows[kColumns];
  int32_t count, bytes, gap; /* gap: from the end of a row to the next one */
} ThreeRows;

#define WIDEN_THREE             \
  "ldr r8, [r0], #4\n\t"        \
  "ldr r9, [r1], #4\n\t"        \
  "ldr r10, [r2], #4\n\t"       \
  "sxtb16 r4, r8\n\t"           \
  "sxtb16 r5, r9\n\t"           \
  "sxtb16 r6, r10\n\t"          \
  "sxtb16 r8, r8, ror #8\n\t"   \
  "sxtb16 r9, r9, ror #8\n\t"   \
  "sxtb16 r10, r10, ror #8\n\t" \
  "stmia r3!, {r4-r6, r8-r10}\n\t"

/* r0-r2 values, r3 columns, r7 rows left, r11 bytes of a row, r12 its end, lr gap. r7 may be the frame
 * pointer, so it is saved here. */
static __attribute__((noinline)) uint8_t* widen_three(const ThreeRows* three, uint8_t* columns) {
  register const ThreeRows* r12 __asm__("r12") = three;
  register uint8_t* r3 __asm__("r3") = columns;
  __asm__ volatile(
      "push {r7}\n\t"
      "ldr r7, [r12, #12]\n\t"
      "ldr r11, [r12, #16]\n\t"
      "ldr lr, [r12, #20]\n\t"
      "ldmia r12, {r0-r2}\n"
      "1:\n\t"
      "add r12, r0, r11\n\t"
      "tst r11, #4\n\t"
      "beq 2f\n\t" WIDEN_THREE
      "cmp r0, r12\n\t"
      "beq 3f\n"
      "2:\n\t" WIDEN_THREE WIDEN_THREE
      "cmp r0, r12\n\t"
      "bne 2b\n"
      "3:\n\t"
      "add r0, r0, lr\n\t"
      "add r1, r1, lr\n\t"
      "add r2, r2, lr\n\t"
      "subs r7, r7, #1\n\t"
      "bne 1b\n\t"
      "pop {r7}"
      : "+r"(r12), "+r"(r3)
      :
      : "r0", "r1", "r2", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "lr", "cc", "memory");
  return r3;
}

uint8_t* tinyml_nn_widen_three(const int8_t* row, int32_t step, int32_t rows, int32_t row_step, int32_t quads,
                               uint8_t* columns) {
  if (quads == 0) return columns;
  const int32_t bytes = quads * kQuad;
  const ThreeRows three = {{row, row + step, row + 2 * step}, rows, bytes, row_step - bytes};
  return widen_three(&three, columns);
}

#else

uint8_t* tinyml_nn_widen_three(const int8_t* row, int32_t step, int32_t rows, int32_t row_step, int32_t quads,
                               uint8_t* columns) {
  uint8_t* end = columns;
  for (int i = 0; i < kColumns; ++i) {
    end = tinyml_nn_widen_rows(row + i * step, rows, row_step, quads, columns + i * kWordBytes);
  }
  return end - (kColumns - 1) * kWordBytes;
}

#endif

/* The assembly below depends on the order of the fields. */
typedef struct {
  const uint8_t* columns;
  int32_t rest_bytes; /* of a channel pair's weights after the first quad */
  int32_t entry;      /* of these quads, how many the first round takes: 0 only where there are none */
  const int32_t* channels;
  const int32_t* channels_end;
  int32_t target1, target2; /* from column 0's outputs to those of the other columns */
  int8_t* output;
} Job;

#if TINYML_NN_DSP

/* Two inputs of each column times two channels, whose weights are in `weights`; `multiply` is smlad, or smuad
 * for the first ones. */
#define MULTIPLY(weights, multiply, a, b, c, d, e, f)                                                       \
  "ldmia r2!, {r4-r6}\n\t" multiply " r8, " weights ", r4" a "\n\t" multiply " r9, " weights ", r5" b       \
  "\n\t" multiply " r10, " weights ", r6" c                                                                 \
  "\n\t"                                                                                                    \
  "sxtb16 " weights ", " weights "\n\t" multiply " r11, " weights ", r4" d "\n\t" multiply " r12, " weights \
  ", r5" e "\n\t" multiply " lr, " weights ", r6" f "\n\t"
#define ADD_TO_SUMS(weights) MULTIPLY(weights, "smlad", ", r8", ", r9", ", r10", ", r11", ", r12", ", lr")
#define FIRST_QUAD "ldmia r1!, {r0, r7}\n\t" MULTIPLY("r0", "smuad", "", "", "", "", "", "") ADD_TO_SUMS("r7")
#define QUAD "ldmia r1!, {r0, r7}\n\t" ADD_TO_SUMS("r0") ADD_TO_SUMS("r7")
#define FOUR_QUADS QUAD QUAD QUAD QUAD
#define ALL_QUADS FOUR_QUADS FOUR_QUADS FOUR_QUADS FOUR_QUADS
/* `requantize` of doubled sums; r2 is free, r4 multiplier, r5 rounding, r6 shift. */
#define REQUANTIZE_ONE(sum, sign) \
  "smmlar r2, " sum ", r4, r5\n\t" sign(sum) "asr r2, r2, r6\n\t" \
  "ssat " sum ", #8, r2\n\t"
#define REQUANTIZE(a, b, c, sign) REQUANTIZE_ONE(a, sign) REQUANTIZE_ONE(b, sign) REQUANTIZE_ONE(c, sign)
#define WITH_SIGN(sum) "add r2, r2, " sum ", asr #31\n\t"
#define WITHOUT_SIGN(sum)

/* Every register is in use: r0, r7 weights, r1 their address, r2 columns, r3 end of the weights, r4-r6
 * inputs, r8-r10 sums of both channels, r11, r12, lr sums of the first. The job is on the stack, where its
 * entry becomes an address in the loop. r7 may be the frame pointer, so it is saved here. */
#define MULTIPLY_PAIRS(sign) \
  "push {r7}\n\t"                                                                \
  "ldmia r2, {r3-r10}\n\t"                                                       \
  "adr.w r11, 2f\n\t"                                                            \
  "adr.w r12, 3f\n\t"                                                            \
  "sub r11, r12, r11\n\t" /* sixteen quads of code */                            \
  "mul r11, r11, r5\n\t"                                                         \
  "sub r5, r12, r11, lsr #4\n\t"                                                 \
  "orr r5, r5, #1\n\t"                                                           \
  "push {r3-r10}\n"                                                              \
  "1:\n\t"                                                                       \
  "ldrd r2, r3, [sp]\n\t" FIRST_QUAD                                             \
  "add r3, r3, r1\n\t"                                                           \
  "ldr pc, [sp, #8]\n"                                                           \
  "2:\n\t" ALL_QUADS                                                             \
  "3:\n\t"                                                                       \
  "cmp r1, r3\n\t"                                                               \
  "bne 2b\n\t"                                                                   \
  "ldr r0, [sp, #12]\n\t"                                                        \
  "ldmia r0!, {r2, r4-r6}\n\t" /* doubled bias, multiplier, rounding, shift */   \
  "sub r8, r8, r11\n\t"                                                          \
  "sub r9, r9, r12\n\t"                                                          \
  "sub r10, r10, lr\n\t"                                                         \
  "add r11, r2, r11, lsl #1\n\t"                                                 \
  "add r12, r2, r12, lsl #1\n\t"                                                 \
  "add lr, r2, lr, lsl #1\n\t" REQUANTIZE("r11", "r12", "lr", sign)              \
  "ldmia r0!, {r2, r4-r6}\n\t"                                                   \
  "add r8, r2, r8, asr #7\n\t" /* 256 times the sums, made twice the sums */     \
  "add r9, r2, r9, asr #7\n\t"                                                   \
  "add r10, r2, r10, asr #7\n\t" REQUANTIZE("r8", "r9", "r10", sign)             \
  "ldrd r4, r5, [sp, #16]\n\t" /* channels_end, target1, target2, output */      \
  "ldrd r6, r7, [sp, #24]\n\t"                                                   \
  "cmp r0, r4\n\t"                                                               \
  "bhi 4f\n\t"                                                                   \
  "bfi lr, r10, #8, #24\n\t" /* both channels' outputs, one after the other */   \
  "bfi r12, r9, #8, #24\n\t"                                                     \
  "bfi r11, r8, #8, #24\n\t"                                                     \
  "strh lr, [r7, r6]\n\t"                                                        \
  "strh r12, [r7, r5]\n\t"                                                       \
  "strh r11, [r7], #2\n\t"                                                       \
  "str r0, [sp, #12]\n\t"                                                        \
  "str r7, [sp, #28]\n\t"                                                        \
  "bne 1b\n\t"                                                                   \
  "b 5f\n"                                                                       \
  "4:\n\t" /* the last channel has no partner: the exporter has added one */     \
  "strb lr, [r7, r6]\n\t"                                                        \
  "strb r12, [r7, r5]\n\t"                                                       \
  "strb r11, [r7]\n"                                                             \
  "5:\n\t"                                                                       \
  "add sp, sp, #32\n\t"                                                          \
  "pop {r7}"

#define DEFINE_MULTIPLY_PAIRS(name, sign)                                                                    \
  static __attribute__((noinline)) void name(const int8_t* weights, const Job* job) {                        \
    register const int8_t* r1 __asm__("r1") = weights;                                                       \
    register const Job* r2 __asm__("r2") = job;                                                              \
    __asm__ volatile(MULTIPLY_PAIRS(sign)                                                                    \
                     : "+r"(r1), "+r"(r2)                                                                    \
                     :                                                                                       \
                     : "r0", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory"); \
  }

DEFINE_MULTIPLY_PAIRS(multiply_pairs, WITH_SIGN)
/* Where the output's zero point is the lowest int8, sums below 0 give it however they are rounded. */
DEFINE_MULTIPLY_PAIRS(multiply_pairs_from_lowest, WITHOUT_SIGN)

#else

static void put(const Job* job, int32_t channel, const int32_t* constants, const int32_t* doubled) {
  const int32_t bias = constants[kDoubledBias], multiplier = constants[kMultiplier];
  const int32_t shift = constants[kShift], rounding = constants[kRounding];
  int8_t* const to = job->output + channel;
  to[job->target2] = requantize(bias + doubled[2], multiplier, rounding, shift);
  to[job->target1] = requantize(bias + doubled[1], multiplier, rounding, shift);
  to[0] = requantize(bias + doubled[0], multiplier, rounding, shift);
}

static void multiply_pairs(const int8_t* weights, const Job* job) {
  const int32_t* channels = job->channels;
  for (int32_t channel = 0; channels != job->channels_end; channel += 2) {
    uint32_t both[kColumns] = {0}, first[kColumns] = {0};
    const uint8_t* inputs = job->columns;
    const int8_t* const end = weights + 2 * kWordBytes + job->rest_bytes;
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

static void multiply_pairs_from_lowest(const int8_t* weights, const Job* job) {
  multiply_pairs(weights, job);
}

#endif

void tinyml_nn_multiply_columns(const tinyml_nn_window* window, const uint8_t* columns, int32_t count,
                                int32_t quads, const int8_t* weights, const int32_t* channels,
                                int8_t* output) {
  const int32_t outputs = window->output_channels, rest = quads - 1;
  /* Missing columns write to column 0's output, before it does. */
  const Job job = {columns,
                   rest * 2 * kWordBytes,
                   rest > 0 ? ((rest - 1) & 15) + 1 : 0,
                   channels,
                   channels + outputs * kChannelWords,
                   count > 1 ? outputs : 0,
                   count > 2 ? 2 * outputs : 0,
                   output};
  (window->output_zero_point == INT8_MIN ? multiply_pairs_from_lowest : multiply_pairs)(weights, &job);
}
