#include <string.h>

#include "fixed_point.h"
#include "tinyml_nn_signal.h"

bool tinyml_nn_signal_frames(const tinyml_nn_signal_framer* framer, const int16_t* input, int32_t* history,
                             int16_t* output) {
  const int32_t size = framer->frame_size, step = framer->frame_step;
  bool complete = true;
  for (int32_t row = 0; row < framer->rows; ++row) {
    int32_t held = *history;
    int16_t* const samples = (void*)(history + 1);
    for (int32_t frame = 0; frame < framer->frames; ++frame, input += step, output += size) {
      memcpy(samples + held, input, (size_t)step * sizeof *input);
      held += step;
      if (held >= size) {
        memcpy(output, samples, (size_t)size * sizeof *output);
        held -= step;
        memmove(samples, samples + step, (size_t)held * sizeof *samples);
      } else {
        complete = false;
      }
    }
    *history = held;
    history += 1 + (size + step + 1) / 2;
  }
  return complete;
}

void tinyml_nn_signal_window(const int16_t* window, int32_t size, int32_t shift, const int16_t* input,
                             int16_t* output, int32_t count) {
  for (int32_t i = 0, k = 0; i < count; ++i) {
    output[i] = (int16_t)clamp_s16((input[i] * window[k]) >> shift);
    if (++k == size) k = 0;
  }
}

int32_t tinyml_nn_signal_auto_scale(const int16_t* input, int16_t* output, int32_t count) {
  int16_t largest = 0; /* -32768 wraps, as in TensorFlow Lite Micro: what follows is larger */
  for (int32_t i = 0; i < count; ++i) {
    const int32_t value = input[i];
    if (value > largest || -value > largest) largest = (int16_t)(value > largest ? value : -value);
  }
  int32_t bits = 0;
  for (int32_t room = largest; room > 0 && room < 1 << 14; room <<= 1) ++bits;
  for (int32_t i = 0; i < count; ++i) output[i] = (int16_t)(input[i] * (1 << bits));
  return bits;
}
