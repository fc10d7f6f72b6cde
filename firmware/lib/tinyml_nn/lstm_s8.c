/* UNIDIRECTIONAL_SEQUENCE_LSTM: Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000).
 *
 * Gates are Q3.12 before their function and Q0.15 after it.
 */
#include <string.h>

#include "fixed_point.h"
#include "four_rows.h"
#include "sigmoid_s16.h"
#include "tinyml_nn_recurrent.h"

enum { kInput, kForget, kCell, kOutput, kGates = kRows };

static inline int32_t scaled_s16(int32_t x, const tinyml_nn_scale* scale) {
  return clamp_s16(rescale(x, scale->multiplier, scale->shift));
}

/* Next cell state of one unit. */
static int32_t next_cell(const tinyml_nn_lstm* lstm, int32_t cell, const int32_t gates[kGates]) {
  static const tinyml_nn_scale kOfGate = {1 << 30, -14}; /* 2^-15 */
  const int32_t kept = scaled_s16(sigmoid_q15(3 * gates[kForget]) * cell, &kOfGate);
  const int32_t added = sigmoid_q15(3 * gates[kInput]) * tanh_q15(3 * gates[kCell]);
  const int32_t sum = clamp_s16(kept + scaled_s16(added, &lstm->cell));
  return sum < lstm->lowest_cell ? lstm->lowest_cell : sum > lstm->highest_cell ? lstm->highest_cell : sum;
}

/* Next output of one unit. */
static int8_t output_of(const tinyml_nn_lstm* lstm, int32_t cell, int32_t output_gate) {
  const int32_t rounding = lstm->tanh_shift > 0 ? 1 << (lstm->tanh_shift - 1) : 0;
  const int32_t activated = tanh_q15((cell * lstm->tanh_multiplier + rounding) >> lstm->tanh_shift);
  const int32_t product = activated * sigmoid_q15(3 * output_gate);
  const uint32_t value = (uint32_t)rescale(product, lstm->output.multiplier, lstm->output.shift);
  return (int8_t)clamp_s8((int32_t)(value + (uint32_t)lstm->output_zero_point));
}

/* One time step of one sequence. */
static void step(const tinyml_nn_lstm* lstm, const int8_t* input, const int8_t* input_weights,
                 const int8_t* recurrent_weights, const int32_t* bias, const int8_t* hidden, int16_t* cell,
                 int8_t* output) {
  for (int32_t unit = 0; unit < lstm->units; ++unit, bias += 2 * kGates) {
    uint32_t from_input[kGates], from_hidden[kGates];
    int32_t gates[kGates];
    input_weights = multiply_four_rows(input_weights, input, lstm->inputs, from_input);
    recurrent_weights = multiply_four_rows(recurrent_weights, hidden, lstm->units, from_hidden);
    for (int i = 0; i < kGates; ++i) {
      const int32_t a = (int32_t)(from_input[i] + (uint32_t)bias[i]);
      const int32_t b = (int32_t)(from_hidden[i] + (uint32_t)bias[kGates + i]);
      gates[i] = clamp_s16(scaled_s16(a, &lstm->input[i]) + scaled_s16(b, &lstm->recurrent[i]));
    }
    cell[unit] = (int16_t)next_cell(lstm, cell[unit], gates);
    output[unit] = output_of(lstm, cell[unit], gates[kOutput]);
  }
}

void tinyml_nn_lstm_s8(const tinyml_nn_lstm* lstm, const int8_t* input, const int8_t* input_weights,
                       const int8_t* recurrent_weights, const int32_t* bias, int8_t* hidden, int16_t* cell,
                       int8_t* output) {
  for (int32_t outer = 0; outer < lstm->outer; ++outer) {
    for (int32_t inner = 0; inner < lstm->inner; ++inner) {
      const int32_t at = (lstm->time_major ? inner : outer) * lstm->units;
      step(lstm, input, input_weights, recurrent_weights, bias, hidden + at, cell + at, output);
      memcpy(hidden + at, output, (size_t)lstm->units);
      input += lstm->inputs;
      output += lstm->units;
    }
  }
}
