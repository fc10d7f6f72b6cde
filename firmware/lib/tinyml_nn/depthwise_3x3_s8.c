/* DEPTHWISE_CONV_2D of 3x3, four channels at a time, two rows of outputs at a time.
 *
 * SMLAD needs two inputs of one channel in a word, but neighbours in memory are different channels. So rows
 * of the input are rearranged two by two: a "row pair" holds, for each of four channels, the words (row 2j,
 * row 2j+1) of all columns, padding included. With the weights of column k as the words (w[0][k], w[1][k])
 * and (w[1][k], w[2][k]), both output rows that start in a row pair need four multiplies per column: two of
 * them multiply two rows at once. A row pair is the lower one for two rows of outputs and the upper one for
 * the next, so two are kept.
 */
#include "tinyml_nn_convolution.h"

#include "requantize.h"

enum { kLanes = 4, kWordBytes = 4, kTaps = 3, kFilterBytes = 12, kRows = 2 };

typedef struct {
  const tinyml_nn_window* window;
  int32_t columns;  /* of a row pair, padding included */
  int32_t inside;   /* of these, columns of the input; the first is at window->padding_x */
  int32_t row_step; /* bytes from one input row to the next */
} Layout;

/* The inputs for the outputs of one channel. The assembly below depends on the order of the fields.
 */
typedef struct {
  int32_t step, next_row;   /* from one output to the next, and to the one below it */
  int32_t run_bytes, shift; /* run_bytes: of the windows of a row of outputs */
  int32_t multiplier, rounding, bias;
  int32_t odd; /* 1 where a row of outputs at stride 1 has a column after the last two of `run_bytes` */
  uint32_t first[kTaps], second[kTaps]; /* doubled weights of rows 0 and 1, and of rows 1 and 2 */
} Filter;

static inline uint32_t load_channels(const int8_t* from, int32_t lanes) {
  if (lanes == kLanes) return load_word(from);
  uint32_t word = 0;
  for (int32_t i = 0; i < lanes; ++i) word |= (uint32_t)(uint8_t)from[i] << (8 * i);
  return word;
}

/* Four padded inputs. */
static inline uint32_t zero_word(const tinyml_nn_window* window) {
  return (uint8_t)window->input_zero_point * UINT32_C(0x01010101);
}

static inline void store_pairs(uint8_t* pair, int32_t columns, uint32_t first, uint32_t second) {
  const uint32_t low = pair_low(first, second), high = pair_high(first, second);
  const int32_t step = columns * kWordBytes;
  store_word(pair, widen_even(low));
  store_word(pair + step, widen_odd(low));
  store_word(pair + 2 * step, widen_even(high));
  store_word(pair + 3 * step, widen_odd(high));
}

/* A row of the padded input: the next pixel's channels are `step` bytes further, 0 for padding. */
typedef struct {
  const int8_t* values;
  int32_t step;
} Row;

static inline Row input_row(const Layout* layout, const int8_t* input, int32_t y, const uint32_t* zero) {
  if (y < 0 || y >= layout->window->input_height) return (Row){(const int8_t*)zero, 0};
  return (Row){input + y * layout->row_step, layout->window->input_channels};
}

static inline void fill_row_pair(const Layout* layout, Row first, Row second, int32_t lanes, uint8_t* pair) {
  const int32_t columns = layout->columns;
  pair += layout->window->padding_x * kWordBytes;
  for (int32_t i = layout->inside; i > 0; --i, pair += kWordBytes) {
    store_pairs(pair, columns, load_channels(first.values, lanes), load_channels(second.values, lanes));
    first.values += first.step;
    second.values += second.step;
  }
}

/* Row pair `index` of the padded input, `lanes` channels from `input` on. */
static void load_row_pair(const Layout* layout, const int8_t* input, int32_t index, int32_t lanes,
                          uint8_t* pair) {
  const int32_t y = kRows * index - layout->window->padding_y;
  const uint32_t zero = zero_word(layout->window);
  const Row first = input_row(layout, input, y, &zero), second = input_row(layout, input, y + 1, &zero);
  if (lanes == kLanes) {
    fill_row_pair(layout, first, second, kLanes, pair);
  } else {
    fill_row_pair(layout, first, second, lanes, pair);
  }
}

/* Sums are doubled, as `requantize` requires, because the weights are. */
static void load_filter(const tinyml_nn_window* window, const int8_t* weights, const int32_t* channel,
                        Filter* filter) {
  for (int tap = 0; tap < kTaps; ++tap) {
    const uint32_t word = load_word(weights + tap * kWordBytes);
    const uint32_t first = widen_even(word), second = widen_odd(word);
    filter->first[tap] = add_lanes(first, first);
    filter->second[tap] = add_lanes(second, second);
  }
  filter->bias = channel[kDoubledBias];
  filter->multiplier = channel[kMultiplier];
  filter->shift = channel[kShift];
  filter->rounding = channel[kRounding];
  filter->step = window->output_channels;
  filter->odd = window->stride_x == 1 ? window->output_width & 1 : 0;
  filter->run_bytes = (window->output_width * window->stride_x - filter->odd) * kWordBytes;
  filter->next_row = window->output_width * window->output_channels;
}

#if TINYML_NN_DSP

/* Channel by channel. Every register is in use: r1, r2 row pairs; r3-r5, r6-r8 weights; r9 output; r10 and up
 * inputs and sums; r0, lr sums. The filter's other fields are on the stack, below them the second weights,
 * above them the arguments. r7 may be the frame pointer, so it is saved here. */
#define ENTER                             \
  "push {r7}\n\t"                         \
  "push {r4, r5}\n"                       \
  "0:\n\t"                                \
  "push {r0-r3}\n\t"                      \
  "ldmia r0!, {r4-r8, r10-r12}\n\t"       \
  "add r6, r6, r1\n\t" /* where to end */ \
  "push {r4-r8, r10-r12}\n\t"             \
  "mov r9, r3\n\t"                        \
  "cmp r1, r6\n\t"                        \
  "ldmia r0, {r3-r8}\n\t"                 \
  "push {r6-r8}\n\t"
#define LEAVE                                               \
  "add sp, sp, #44\n\t"                                     \
  "pop {r0-r3}\n\t"                                         \
  "ldrd r4, r5, [sp]\n\t" /* bytes of a lane, lanes left */ \
  "add r0, r0, #56\n\t"                                     \
  "add r1, r1, r4\n\t"                                      \
  "add r2, r2, r4\n\t"                                      \
  "add r3, r3, #1\n\t"                                      \
  "subs r5, r5, #1\n\t"                                     \
  "str r5, [sp, #4]\n\t"                                    \
  "bne 0b\n\t"                                              \
  "add sp, sp, #8\n\t"                                      \
  "pop {r7}"
_Static_assert(sizeof(Filter) == 56, "LEAVE goes to the next one");
#define SECOND_WEIGHTS "ldmia sp, {r6-r8}\n\t"
#define STEP_NEXT_ROW "12"
#define NEXT_ROW "16"
#define END "20"
#define SHIFT "24"
#define MULTIPLIER_ROUNDING "28"
#define BIAS "36"
#define ODD "40"
/* `requantize` in place; r6 multiplier, r7 rounding, r8 shift, r10 is free. */
#define REQUANTIZE(sum, sign) \
  "smmlar r10, " sum ", r6, r7\n\t" sign(sum) "asr r10, r10, r8\n\t" \
                                               "ssat " sum ", #8, r10\n\t"
#define PARAMETERS                          \
  "ldrd r6, r7, [sp, #" MULTIPLIER_ROUNDING \
  "]\n\t"                                   \
  "ldr r8, [sp, #" SHIFT "]\n\t"
#define WITH_SIGN(sum) "add r10, r10, " sum ", asr #31\n\t"
#define WITHOUT_SIGN(sum)

/* Two rows of outputs at stride 1, two columns at a time; then the last column, if it is left. */
#define TWO_ROWS(sign)                                                                          \
  ENTER                                                                                         \
  "beq 2f\n"                                                                                    \
  "1:\n\t"                                                                                      \
  "ldr r11, [sp, #" BIAS                                                                        \
  "]\n\t"                                                                                       \
  "ldr r10, [r1]\n\t"                                                                           \
  "smlad r0, r10, r3, r11\n\t"                                                                  \
  "smlatb lr, r10, r3, r11\n\t"                                                                 \
  "ldr r10, [r1, #4]\n\t"                                                                       \
  "smlad r0, r10, r4, r0\n\t"                                                                   \
  "smlatb lr, r10, r4, lr\n\t"                                                                  \
  "smlatb r12, r10, r3, r11\n\t"                                                                \
  "smlad r11, r10, r3, r11\n\t"                                                                 \
  "ldr r10, [r1, #8]!\n\t"                                                                      \
  "smlad r0, r10, r5, r0\n\t"                                                                   \
  "smlatb lr, r10, r5, lr\n\t"                                                                  \
  "smlad r11, r10, r4, r11\n\t"                                                                 \
  "smlatb r12, r10, r4, r12\n\t"                                                                \
  "ldr r10, [r1, #4]\n\t"                                                                       \
  "smlad r11, r10, r5, r11\n\t"                                                                 \
  "smlatb r12, r10, r5, r12\n\t"                                                                \
  "ldr r10, [r2]\n\t"                                                                           \
  "smlabt r0, r10, r6, r0\n\t"                                                                  \
  "smlad lr, r10, r6, lr\n\t"                                                                   \
  "ldr r10, [r2, #4]\n\t"                                                                       \
  "smlabt r0, r10, r7, r0\n\t"                                                                  \
  "smlad lr, r10, r7, lr\n\t"                                                                   \
  "smlabt r11, r10, r6, r11\n\t"                                                                \
  "smlad r12, r10, r6, r12\n\t"                                                                 \
  "ldr r10, [r2, #8]!\n\t"                                                                      \
  "smlabt r0, r10, r8, r0\n\t"                                                                  \
  "smlad lr, r10, r8, lr\n\t"                                                                   \
  "smlabt r11, r10, r7, r11\n\t"                                                                \
  "smlad r12, r10, r7, r12\n\t"                                                                 \
  "ldr r10, [r2, #4]\n\t"                                                                       \
  "smlabt r11, r10, r8, r11\n\t"                                                                \
  "smlad r12, r10, r8, r12\n\t" PARAMETERS REQUANTIZE("r0", sign) REQUANTIZE("lr", sign)        \
      REQUANTIZE("r11", sign)                                                                   \
          REQUANTIZE("r12", sign) "ldrd r6, r7, [sp, #" STEP_NEXT_ROW                           \
                                  "]\n\t"                                                       \
                                  "strb lr, [r9, r7]\n\t"                                       \
                                  "strb r0, [r9]\n\t"                                           \
                                  "add r9, r9, r6\n\t"                                          \
                                  "strb r12, [r9, r7]\n\t"                                      \
                                  "strb r11, [r9]\n\t"                                          \
                                  "add r9, r9, r6\n\t" SECOND_WEIGHTS "ldr r10, [sp, #" END     \
                                  "]\n\t"                                                       \
                                  "cmp r1, r10\n\t"                                             \
                                  "bne 1b\n\t"                                                  \
                                  "2:\n\t"                                                      \
                                  "ldr r10, [sp, #" ODD                                         \
                                  "]\n\t"                                                       \
                                  "cmp r10, #0\n\t"                                             \
                                  "beq 3f\n\t"                                                  \
                                  "ldr r11, [sp, #" BIAS                                        \
                                  "]\n\t"                                                       \
                                  "ldr r10, [r1]\n\t"                                           \
                                  "smlad r0, r10, r3, r11\n\t"                                  \
                                  "smlatb lr, r10, r3, r11\n\t"                                 \
                                  "ldr r10, [r1, #4]\n\t"                                       \
                                  "smlad r0, r10, r4, r0\n\t"                                   \
                                  "smlatb lr, r10, r4, lr\n\t"                                  \
                                  "ldr r10, [r1, #8]\n\t"                                       \
                                  "smlad r0, r10, r5, r0\n\t"                                   \
                                  "smlatb lr, r10, r5, lr\n\t"                                  \
                                  "ldr r10, [r2]\n\t"                                           \
                                  "smlabt r0, r10, r6, r0\n\t"                                  \
                                  "smlad lr, r10, r6, lr\n\t"                                   \
                                  "ldr r10, [r2, #4]\n\t"                                       \
                                  "smlabt r0, r10, r7, r0\n\t"                                  \
                                  "smlad lr, r10, r7, lr\n\t"                                   \
                                  "ldr r10, [r2, #8]\n\t"                                       \
                                  "smlabt r0, r10, r8, r0\n\t"                                  \
                                  "smlad lr, r10, r8, lr\n\t" PARAMETERS REQUANTIZE("r0", sign) \
                                      REQUANTIZE("lr", sign) "ldr r7, [sp, #" NEXT_ROW          \
                                                             "]\n\t"                            \
                                                             "strb lr, [r9, r7]\n\t"            \
                                                             "strb r0, [r9]\n\t"                \
                                                             "3:\n\t" LEAVE

/* One row of outputs at stride 2. */
#define ONE_ROW(sign)                                                      \
  ENTER                                                                    \
  "1:\n\t"                                                                 \
  "ldr lr, [sp, #" BIAS                                                    \
  "]\n\t"                                                                  \
  "ldmia r1, {r10-r12}\n\t"                                                \
  "smlad r0, r10, r3, lr\n\t"                                              \
  "smlad r0, r11, r4, r0\n\t"                                              \
  "smlad r0, r12, r5, r0\n\t"                                              \
  "ldmia r2, {r10-r12}\n\t"                                                \
  "smlabt r0, r10, r6, r0\n\t"                                             \
  "smlabt r0, r11, r7, r0\n\t"                                             \
  "smlabt r0, r12, r8, r0\n\t"                                             \
  "ldrd r11, r12, [sp, #" MULTIPLIER_ROUNDING                              \
  "]\n\t"                                                                  \
  "smmlar r10, r0, r11, r12\n\t" sign("r0") "ldr r12, [sp, #" SHIFT        \
                                            "]\n\t"                        \
                                            "ldr lr, [sp, #" STEP_NEXT_ROW \
                                            "]\n\t"                        \
                                            "ldr r11, [sp, #" END          \
                                            "]\n\t"                        \
                                            "asr r10, r10, r12\n\t"        \
                                            "ssat r0, #8, r10\n\t"         \
                                            "strb r0, [r9]\n\t"            \
                                            "add r1, r1, #8\n\t"           \
                                            "add r2, r2, #8\n\t"           \
                                            "add r9, r9, lr\n\t"           \
                                            "cmp r1, r11\n\t"              \
                                            "bne 1b\n\t" LEAVE

#define DEFINE_ROWS(name, code)                                                                        \
  static __attribute__((noinline)) void name(const Filter* filters, const uint8_t* upper,              \
                                             const uint8_t* lower, int8_t* output, int32_t lane_bytes, \
                                             int32_t lanes) {                                          \
    register const Filter* r0 __asm__("r0") = filters;                                                 \
    register const uint8_t* r1 __asm__("r1") = upper;                                                  \
    register const uint8_t* r2 __asm__("r2") = lower;                                                  \
    register int8_t* r3 __asm__("r3") = output;                                                        \
    register int32_t r4 __asm__("r4") = lane_bytes;                                                    \
    register int32_t r5 __asm__("r5") = lanes;                                                         \
    __asm__ volatile(code                                                                              \
                     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4), "+r"(r5)                      \
                     :                                                                                 \
                     : "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");                   \
  }

DEFINE_ROWS(two_rows, TWO_ROWS(WITH_SIGN))
DEFINE_ROWS(one_row, ONE_ROW(WITH_SIGN))
/* Where the output's zero point is the lowest int8, sums below 0 give it however they are rounded. */
DEFINE_ROWS(two_rows_from_lowest, TWO_ROWS(WITHOUT_SIGN))
DEFINE_ROWS(one_row_from_lowest, ONE_ROW(WITHOUT_SIGN))

#else

static inline int8_t output_of(const Filter* filter, uint32_t sum) {
  return requantize((int32_t)sum, filter->multiplier, filter->rounding, filter->shift);
}

static inline int8_t first_output(const Filter* filter, const uint8_t* upper, const uint8_t* lower) {
  uint32_t sum = (uint32_t)filter->bias;
  for (int tap = 0; tap < kTaps; ++tap, upper += kWordBytes, lower += kWordBytes) {
    sum = multiply_lanes(load_word(upper), filter->first[tap], sum);
    sum += (uint32_t)(low_lane(load_word(lower)) * high_lane(filter->second[tap]));
  }
  return output_of(filter, sum);
}

static inline int8_t second_output(const Filter* filter, const uint8_t* upper, const uint8_t* lower) {
  uint32_t sum = (uint32_t)filter->bias;
  for (int tap = 0; tap < kTaps; ++tap, upper += kWordBytes, lower += kWordBytes) {
    sum += (uint32_t)(high_lane(load_word(upper)) * low_lane(filter->first[tap]));
    sum = multiply_lanes(load_word(lower), filter->second[tap], sum);
  }
  return output_of(filter, sum);
}

static void two_rows_of(const Filter* filter, const uint8_t* upper, const uint8_t* lower, int8_t* output) {
  const int32_t end = filter->run_bytes + filter->odd * kWordBytes;
  for (int32_t at = 0; at < end; at += kWordBytes, output += filter->step) {
    output[filter->next_row] = second_output(filter, upper + at, lower + at);
    *output = first_output(filter, upper + at, lower + at);
  }
}

static void one_row_of(const Filter* filter, const uint8_t* upper, const uint8_t* lower, int8_t* output) {
  for (int32_t at = 0; at < filter->run_bytes; at += 2 * kWordBytes, output += filter->step) {
    *output = first_output(filter, upper + at, lower + at);
  }
}

#define DEFINE_ROWS(name)                                                                             \
  static void name(const Filter* filters, const uint8_t* upper, const uint8_t* lower, int8_t* output, \
                   int32_t lane_bytes, int32_t lanes) {                                               \
    for (int32_t lane = 0; lane < lanes; ++lane) {                                                    \
      name##_of(filters + lane, upper + lane * lane_bytes, lower + lane * lane_bytes, output + lane); \
    }                                                                                                 \
  }

DEFINE_ROWS(two_rows)
DEFINE_ROWS(one_row)
#define two_rows_from_lowest two_rows
#define one_row_from_lowest one_row

#endif

/* Outputs of `lanes` channels, whose row pairs lie `lane_bytes` apart. */
typedef void Rows(const Filter* filters, const uint8_t* upper, const uint8_t* lower, int8_t* output,
                  int32_t lane_bytes, int32_t lanes);

/* All outputs of up to four channels. */
static void convolve_lanes(const Layout* layout, const int8_t* input, int32_t lanes, const int8_t* weights,
                           const int32_t* channels, uint8_t* scratch, int8_t* output) {
  const tinyml_nn_window* const w = layout->window;
  const int32_t lane_bytes = layout->columns * kWordBytes, row_bytes = w->output_width * w->output_channels;
  uint8_t *upper = scratch, *lower = scratch + kLanes * lane_bytes;
  const int from_lowest = w->output_zero_point == INT8_MIN, rows = w->stride_x == 1 ? kRows : 1;
  Rows* const two = from_lowest ? two_rows_from_lowest : two_rows;
  Rows* const one = from_lowest ? one_row_from_lowest : one_row;
  Rows* const compute = rows == kRows ? two : one;
  Filter filters[kLanes];
  for (int32_t lane = 0; lane < lanes; ++lane) {
    load_filter(w, weights + lane * kFilterBytes, channels + lane * kChannelWords, filters + lane);
  }
  load_row_pair(layout, input, 0, lanes, upper);
  for (int32_t left = w->output_height, pair = 1; left > 0; ++pair) {
    load_row_pair(layout, input, pair, lanes, lower);
    /* A last row without a partner writes the partner's outputs first and its own over them. */
    if (left == 1) {
      for (int32_t lane = 0; lane < lanes; ++lane) filters[lane].next_row = 0;
    }
    compute(filters, upper, lower, output, lane_bytes, lanes);
    output += rows * row_bytes;
    left -= rows;
    uint8_t* const done = upper;
    upper = lower;
    lower = done;
  }
}

void tinyml_nn_depthwise_3x3_s8(const tinyml_nn_window* window, const int8_t* input, const int8_t* weights,
                                const int32_t* channels, uint8_t* scratch, int8_t* output) {
  const tinyml_nn_window* const w = window;
  const int32_t depth = w->output_channels;
  const int32_t columns = (w->output_width - 1) * w->stride_x + kTaps, seen = columns - w->padding_x;
  const Layout layout = {w, columns, seen < w->input_width ? seen : w->input_width, w->input_width * depth};
  /* Columns of padding are written once: no row pair touches them. */
  for (int32_t i = 0; i < 2 * kLanes * columns; ++i) {
    store_word(scratch + i * kWordBytes, widen_even(zero_word(w)));
  }
  for (int32_t channel = 0; channel < depth; channel += kLanes) {
    const int32_t lanes = depth - channel < kLanes ? depth - channel : kLanes;
    convolve_lanes(&layout, input + channel, lanes, weights + channel * kFilterBytes,
                   channels + channel * kChannelWords, scratch, output + channel);
  }
  clamp_outputs(output, w->output_height * w->output_width * depth, &w->activation);
}
