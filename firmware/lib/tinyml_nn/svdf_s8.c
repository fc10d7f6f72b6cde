/* SVDF: a layer of rank-1 filters, each a product of weights over the input and weights over time.
 *
 * Nakkiran et al., "Compressing Deep Neural Networks using a Rank-Constrained Topology" (2015).
 */
#include "fixed_point.h"
#include "four_rows.h"
#include "tinyml_nn_recurrent.h"

/* Forgets the oldest value, appends `newest`, and returns the memory times the weights, modulo 2^32. */
static uint32_t remember_s8(int8_t* memory, const int8_t* weights, int32_t size, int32_t newest) {
  uint32_t sum = 0;
  for (int32_t i = 0; i < size - 1; ++i) {
    memory[i] = memory[i + 1];
    sum += (uint32_t)(weights[i] * memory[i]);
  }
  memory[size - 1] = (int8_t)newest;
  return sum + (uint32_t)(weights[size - 1] * memory[size - 1]);
}

static uint32_t remember_s16(int16_t* memory, const int16_t* weights, int32_t size, int32_t newest) {
  uint32_t sum = 0;
  for (int32_t i = 0; i < size - 1; ++i) {
    memory[i] = memory[i + 1];
    sum += (uint32_t)(weights[i] * memory[i]);
  }
  memory[size - 1] = (int16_t)newest;
  return sum + (uint32_t)(weights[size - 1] * memory[size - 1]);
}

/* The filter's sum over the input as a value of the state: beyond the type it wraps around, but only where
 * a zero point carries it there. */
static int32_t feature(const tinyml_nn_svdf* svdf, uint32_t sum) {
  const int32_t value = rescale((int32_t)sum, svdf->feature.multiplier, svdf->feature.shift);
  const int32_t limit = svdf->state_bytes == 1 ? INT8_MAX : INT16_MAX;
  const int32_t saturated = value > limit ? limit : value < -limit - 1 ? -limit - 1 : value;
  return saturated + svdf->state_zero_point;
}

void tinyml_nn_svdf_s8(const tinyml_nn_svdf* svdf, const int8_t* input, const int8_t* weights,
                       const int32_t* feature_bias, const void* time_weights, const int32_t* bias,
                       void* state, int8_t* output) {
  const int32_t size = svdf->memory, memory_bytes = size * svdf->state_bytes;
  uint8_t* memory = (uint8_t*)state;
  for (int32_t batch = 0; batch < svdf->batches; ++batch, input += svdf->inputs) {
    const int8_t* rows = weights;
    const uint8_t* over_time = (const uint8_t*)time_weights;
    const int32_t* output_bias = bias;
    uint32_t sum = 0, sums[kRows];
    for (int32_t filter = 0; filter < svdf->filters;) {
      if (filter % kRows == 0) rows = multiply_four_rows(rows, input, svdf->inputs, sums);
      const int32_t newest = feature(svdf, sums[filter % kRows] + (uint32_t)feature_bias[filter]);
      sum += svdf->state_bytes == 1 ? remember_s8((int8_t*)memory, (const int8_t*)over_time, size, newest)
                                    : remember_s16((int16_t*)(void*)memory,
                                                   (const int16_t*)(const void*)over_time, size, newest);
      memory += memory_bytes;
      over_time += memory_bytes;
      if (++filter % svdf->rank == 0) {
        const int32_t total = (int32_t)(sum + (uint32_t)*output_bias++);
        const int32_t scaled = rescale(total, svdf->output.multiplier, svdf->output.shift);
        *output++ = (int8_t)clamp_s8((int32_t)((uint32_t)scaled + (uint32_t)svdf->output_zero_point));
        sum = 0;
      }
    }
  }
}
