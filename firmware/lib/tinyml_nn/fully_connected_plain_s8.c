/* FULLY_CONNECTED without conditions on weights, sums and scales. */
#include "four_rows.h"
#include "requantize.h"

void tinyml_nn_fully_connected_plain_s8(const tinyml_nn_dense* dense, const int8_t* input,
                                        const int8_t* weights, const int32_t* channels, int8_t* output) {
  int8_t* to = output;
  for (int32_t row = 0; row < dense->rows; ++row, input += dense->inputs) {
    const int8_t* rows = weights;
    const int32_t* channel = channels;
    for (int8_t* const end = to + dense->outputs; to != end;) {
      uint32_t sums[kRows];
      rows = multiply_four_rows(rows, input, dense->inputs, sums);
      for (int i = 0; i < kRows && to != end; ++i, channel += kChannelWords) {
        *to++ = requantize_plain(sums[i], channel, dense->output_zero_point);
      }
    }
  }
  clamp_outputs(output, dense->rows * dense->outputs, &dense->activation);
}
