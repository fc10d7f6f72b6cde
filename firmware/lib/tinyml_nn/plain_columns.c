/* Three windows times one output channel at a time, each weight in a lane of its own. */
#include "columns.h"
#include "requantize.h"

void tinyml_nn_multiply_plain_columns(const tinyml_nn_window* window, const uint8_t* columns, int32_t count,
                                      int32_t quads, const int8_t* weights, const int32_t* channels,
                                      int8_t* output) {
  const int32_t outputs = window->output_channels, zero_point = window->output_zero_point;
  for (int32_t channel = 0; channel < outputs; ++channel, channels += kChannelWords) {
    uint32_t sums[kColumns] = {0};
    const uint8_t* inputs = columns;
    for (const int8_t* const end = weights + quads * kQuad; weights != end; weights += kQuad) {
      const uint32_t word = load_word(weights), even = widen_even(word), odd = widen_odd(word);
      for (int i = 0; i < kColumns; ++i) {
        sums[i] = multiply_lanes(even, load_word(inputs + i * kWordBytes), sums[i]);
        sums[i] = multiply_lanes(odd, load_word(inputs + i * kWordBytes + kColumnStep), sums[i]);
      }
      inputs += 2 * kColumnStep;
    }
    for (int32_t i = 0; i < count; ++i) {
      output[i * outputs + channel] = requantize_plain(sums[i], channels, zero_point);
    }
  }
}
