/* DEPTHWISE_CONV_2D of 3x3, four channels at a time, two rows of outputs at a time.
 *
 * SMLAD wants two inputs of one channel in a word, but neighbours in memory are different channels. So rows
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
  int32_t row_step; /* bytes from one input row to the next */
} Layout;

/* A run of outputs of one channel. The order of the fields is what the assembly below loads. */
typedef struct {
  int32_t step;       /* from one output to the next */
  const uint8_t* end; /* of `upper` */
  int32_t shift;
  int32_t next_row; /* from an output to the one below it */
  int32_t multiplier, rounding, bias;
  const uint8_t *upper, *lower;         /* row pairs at the first output's window */
  uint32_t first[kTaps], second[kTaps]; /* doubled weights of rows 0 and 1, and of rows 1 and 2 */
  int8_t* output;
} Run;

static inline uint32_t load_channels(const int8_t* from, int32_t lanes) {
  if (lanes == kLanes) return load_word(from);
  uint32_t word = 0;
  for (int32_t i = 0; i < lanes; ++i) word |= (uint32_t)(uint8_t)from[i] << (8 * i);
  return word;
}

static inline void store_pairs(uint8_t* pair, int32_t columns, uint32_t first, uint32_t second) {
  const uint32_t first_even = widen_even(first), second_even = widen_even(second);
  const uint32_t first_odd = widen_odd(first), second_odd = widen_odd(second);
  const int32_t step = columns * kWordBytes;
  store_word(pair, pair_low(first_even, second_even));
  store_word(pair + step, pair_low(first_odd, second_odd));
  store_word(pair + 2 * step, pair_high(first_even, second_even));
  store_word(pair + 3 * step, pair_high(first_odd, second_odd));
}

static inline void fill_row_pair(const Layout* layout, const int8_t* first, const int8_t* second,
                                 int32_t lanes, uint8_t* pair) {
  const tinyml_nn_window* const w = layout->window;
  const uint32_t zero = (uint8_t)w->input_zero_point * UINT32_C(0x01010101);
  const int32_t columns = layout->columns, channels = w->input_channels;
  int32_t inside = columns - w->padding_x < w->input_width ? columns - w->padding_x : w->input_width;
  int32_t after = columns - w->padding_x - inside;
  if (w->padding_x) {
    store_pairs(pair, columns, zero, zero);
    pair += kWordBytes;
  }
  if (first && second) {
    for (; inside > 0; --inside, pair += kWordBytes, first += channels, second += channels) {
      store_pairs(pair, columns, load_channels(first, lanes), load_channels(second, lanes));
    }
  } else {
    const int8_t* row = first ? first : second;
    for (; inside > 0; --inside, pair += kWordBytes) {
      const uint32_t word = row ? load_channels(row, lanes) : zero;
      if (row) row += channels;
      store_pairs(pair, columns, first ? word : zero, first ? zero : word);
    }
  }
  for (; after > 0; --after, pair += kWordBytes) store_pairs(pair, columns, zero, zero);
}

/* Row pair `index` of the padded input, `lanes` channels from `input` on. */
static void load_row_pair(const Layout* layout, const int8_t* input, int32_t index, int32_t lanes,
                          uint8_t* pair) {
  const int32_t y = kRows * index - layout->window->padding_y, height = layout->window->input_height;
  const int8_t* const first = y >= 0 && y < height ? input + y * layout->row_step : NULL;
  const int8_t* const second = y + 1 < height ? input + (y + 1) * layout->row_step : NULL;
  if (lanes == kLanes) {
    fill_row_pair(layout, first, second, kLanes, pair);
  } else {
    fill_row_pair(layout, first, second, lanes, pair);
  }
}

/* Sums come doubled, as `requantize` wants them, because the weights are. */
static inline void load_filter(Run* run, const int8_t* weights, const int32_t* channel, int32_t zero_point) {
  for (int tap = 0; tap < kTaps; ++tap) {
    const uint32_t word = load_word(weights + tap * kWordBytes);
    const uint32_t first = widen_even(word), second = widen_odd(word);
    run->first[tap] = add_lanes(first, first);
    run->second[tap] = add_lanes(second, second);
  }
  run->bias = channel[kDoubledBias];
  run->multiplier = channel[kMultiplier];
  run->shift = channel[kShift];
  run->rounding = rounding_and_zero_point(zero_point, run->shift);
}

#if TINYML_NN_DSP

/* Every register is in use: r1, r2 row pairs; r3-r5, r6-r8 weights; r9 output; r10-r12 inputs; r0, lr sums.
 * The other fields are read from the stack. r7 may be the frame pointer, so it is saved here. */
#define ENTER                   \
  "push {r7}\n\t"               \
  "ldmia r0!, {r1-r6, r12}\n\t" \
  "push {r1-r6, r12}\n\t"       \
  "ldmia r0, {r1-r9}\n\t"
#define LEAVE           \
  "add sp, sp, #28\n\t" \
  "pop {r7}"
#define STEP_END "0"
#define SHIFT_NEXT "8"
#define MULTIPLIER_ROUNDING "16"
#define BIAS "24"
#define CLOBBERED "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory"

/* Two rows of outputs at stride 1. */
static __attribute__((noinline)) void two_rows(Run* given) {
  register Run* run __asm__("r0") = given;
  __asm__ volatile(ENTER
                   "1:\n\t"
                   "ldr lr, [sp, #" BIAS
                   "]\n\t"
                   "ldmia r1, {r10-r12}\n\t"
                   "smlad r0, r10, r3, lr\n\t"
                   "smlatb lr, r10, r3, lr\n\t"
                   "smlad r0, r11, r4, r0\n\t"
                   "smlatb lr, r11, r4, lr\n\t"
                   "smlad r0, r12, r5, r0\n\t"
                   "smlatb lr, r12, r5, lr\n\t"
                   "ldmia r2, {r10-r12}\n\t"
                   "smlabt r0, r10, r6, r0\n\t"
                   "smlad lr, r10, r6, lr\n\t"
                   "smlabt r0, r11, r7, r0\n\t"
                   "smlad lr, r11, r7, lr\n\t"
                   "smlabt r0, r12, r8, r0\n\t"
                   "smlad lr, r12, r8, lr\n\t"
                   "ldrd r10, r11, [sp, #" MULTIPLIER_ROUNDING
                   "]\n\t"
                   "smmulr r0, r0, r10\n\t"
                   "smmulr lr, lr, r10\n\t"
                   "add r0, r0, r0, asr #31\n\t"
                   "add lr, lr, lr, asr #31\n\t"
                   "add r0, r0, r11\n\t"
                   "add lr, lr, r11\n\t"
                   "ldrd r10, r11, [sp, #" SHIFT_NEXT
                   "]\n\t"
                   "asr r0, r0, r10\n\t"
                   "asr lr, lr, r10\n\t"
                   "ssat r0, #8, r0\n\t"
                   "ssat lr, #8, lr\n\t"
                   "strb lr, [r9, r11]\n\t"
                   "strb r0, [r9]\n\t"
                   "ldrd r10, r11, [sp, #" STEP_END
                   "]\n\t"
                   "add r1, r1, #4\n\t"
                   "add r2, r2, #4\n\t"
                   "add r9, r9, r10\n\t"
                   "cmp r1, r11\n\t"
                   "bne 1b\n\t" LEAVE
                   : "+r"(run)
                   :
                   : CLOBBERED);
}

/* One row of outputs at stride 2. */
static __attribute__((noinline)) void one_row(Run* given) {
  register Run* run __asm__("r0") = given;
  __asm__ volatile(ENTER
                   "1:\n\t"
                   "ldr lr, [sp, #" BIAS
                   "]\n\t"
                   "ldmia r1, {r10-r12}\n\t"
                   "smlad r0, r10, r3, lr\n\t"
                   "smlad r0, r11, r4, r0\n\t"
                   "smlad r0, r12, r5, r0\n\t"
                   "ldmia r2, {r10-r12}\n\t"
                   "smlabt r0, r10, r6, r0\n\t"
                   "smlabt r0, r11, r7, r0\n\t"
                   "smlabt r0, r12, r8, r0\n\t"
                   "ldrd r10, r11, [sp, #" MULTIPLIER_ROUNDING
                   "]\n\t"
                   "ldr r12, [sp, #" SHIFT_NEXT
                   "]\n\t"
                   "smmulr r0, r0, r10\n\t"
                   "add r0, r0, r0, asr #31\n\t"
                   "add r0, r0, r11\n\t"
                   "asr r0, r0, r12\n\t"
                   "ssat r0, #8, r0\n\t"
                   "strb r0, [r9]\n\t"
                   "ldrd r10, r11, [sp, #" STEP_END
                   "]\n\t"
                   "add r1, r1, #8\n\t"
                   "add r2, r2, #8\n\t"
                   "add r9, r9, r10\n\t"
                   "cmp r1, r11\n\t"
                   "bne 1b\n\t" LEAVE
                   : "+r"(run)
                   :
                   : CLOBBERED);
}

#else

static inline int8_t output_of(const Run* run, uint32_t sum) {
  return requantize((int32_t)sum, run->multiplier, run->rounding, run->shift);
}

static inline uint32_t sum_of(const Run* run, const uint8_t* upper, const uint8_t* lower) {
  uint32_t sum = (uint32_t)run->bias;
  for (int tap = 0; tap < kTaps; ++tap, upper += kWordBytes, lower += kWordBytes) {
    sum = multiply_lanes(load_word(upper), run->first[tap], sum);
    sum += (uint32_t)(low_lane(load_word(lower)) * high_lane(run->second[tap]));
  }
  return sum;
}

static inline uint32_t next_sum_of(const Run* run, const uint8_t* upper, const uint8_t* lower) {
  uint32_t sum = (uint32_t)run->bias;
  for (int tap = 0; tap < kTaps; ++tap, upper += kWordBytes, lower += kWordBytes) {
    sum += (uint32_t)(high_lane(load_word(upper)) * low_lane(run->first[tap]));
    sum = multiply_lanes(load_word(lower), run->second[tap], sum);
  }
  return sum;
}

static void two_rows(Run* run) {
  for (; run->upper != run->end; run->upper += kWordBytes, run->lower += kWordBytes) {
    run->output[run->next_row] = output_of(run, next_sum_of(run, run->upper, run->lower));
    *run->output = output_of(run, sum_of(run, run->upper, run->lower));
    run->output += run->step;
  }
}

static void one_row(Run* run) {
  for (; run->upper != run->end; run->upper += 2 * kWordBytes, run->lower += 2 * kWordBytes) {
    *run->output = output_of(run, sum_of(run, run->upper, run->lower));
    run->output += run->step;
  }
}

#endif

/* All outputs of up to four channels. */
static void convolve_lanes(const Layout* layout, const int8_t* input, int32_t lanes, const int8_t* weights,
                           const int32_t* channels, uint8_t* scratch, int8_t* output) {
  const tinyml_nn_window* const w = layout->window;
  const int32_t lane_bytes = layout->columns * kWordBytes, row_bytes = w->output_width * w->output_channels;
  const int32_t rows = w->stride_x == 1 ? kRows : 1;
  uint8_t *upper = scratch, *lower = scratch + kLanes * lane_bytes;
  load_row_pair(layout, input, 0, lanes, upper);
  for (int32_t y = 0, pair = 1; y < w->output_height; y += rows, ++pair) {
    load_row_pair(layout, input, pair, lanes, lower);
    for (int32_t lane = 0; lane < lanes; ++lane) {
      Run run;
      load_filter(&run, weights + lane * kFilterBytes, channels + lane * kChannelWords, w->output_zero_point);
      run.upper = upper + lane * lane_bytes;
      run.lower = lower + lane * lane_bytes;
      run.end = run.upper + w->output_width * w->stride_x * kWordBytes;
      run.output = output + y * row_bytes + lane;
      run.step = w->output_channels;
      if (rows == kRows) {
        /* A last row without a partner writes the partner's outputs first and its own over them. */
        run.next_row = y + 1 < w->output_height ? row_bytes : 0;
        two_rows(&run);
      } else {
        one_row(&run);
      }
    }
    uint8_t* const done = upper;
    upper = lower;
    lower = done;
  }
}

void tinyml_nn_depthwise_3x3_s8(const tinyml_nn_window* window, const int8_t* input, const int8_t* weights,
                                const int32_t* channels, uint8_t* scratch, int8_t* output) {
  const tinyml_nn_window* const w = window;
  const int32_t depth = w->output_channels;
  const Layout layout = {w, (w->output_width - 1) * w->stride_x + kTaps, w->input_width * depth};
  for (int32_t channel = 0; channel < depth; channel += kLanes) {
    const int32_t lanes = depth - channel < kLanes ? depth - channel : kLanes;
    convolve_lanes(&layout, input + channel, lanes, weights + channel * kFilterBytes,
                   channels + channel * kChannelWords, scratch, output + channel);
  }
  clamp_outputs(output, w->output_height * w->output_width * depth, &w->activation);
}
