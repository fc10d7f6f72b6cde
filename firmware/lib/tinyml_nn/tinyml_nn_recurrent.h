/* Operators that remember: their state stays from one inference to the next.
 *
 * Weights of [rows][columns] lie interleaved: [rows / 4][columns / 4][4 rows][4 columns], missing rows and
 * columns are 0. Biases contain what the zero point of the vector adds, so that only weights times values
 * are left to sum. A real multiplier is multiplier * 2^(shift - 31).
 */
#ifndef TINYML_NN_RECURRENT_H
#define TINYML_NN_RECURRENT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t multiplier;
  int32_t shift;
} tinyml_nn_scale;

typedef struct {
  int32_t batches;
  int32_t inputs;
  int32_t filters;
  int32_t rank; /* filters of one output */
  int32_t memory;
  int32_t state_bytes; /* 1 or 2: int8 or int16 for the state and the weights over time */
  int32_t state_zero_point;
  tinyml_nn_scale feature; /* input scale * weights' scale / state's scale */
  tinyml_nn_scale output;  /* state's scale * scale of the weights over time / output scale */
  int32_t output_zero_point;
} tinyml_nn_svdf;

/* Puts each filter's sum over the input at the end of its memory, and forgets the oldest value there; an
 * output is the sum over the memories of `rank` filters.
 *
 * Input [batches][inputs], weights [filters][inputs], weights over time [filters][memory], biases [filters]
 * and [outputs], state [batches][filters][memory], output [batches][outputs]. The output of a batch is
 * written before all of the batch's input is read. */
void tinyml_nn_svdf_s8(const tinyml_nn_svdf* svdf, const int8_t* input, const int8_t* weights,
                       const int32_t* feature_bias, const void* time_weights, const int32_t* bias,
                       void* state, int8_t* output);

typedef struct {
  int32_t outer; /* rows are [outer][inner]: [batches][time steps], or the other way round if time_major */
  int32_t inner;
  int32_t time_major;
  int32_t inputs;
  int32_t units;
  tinyml_nn_scale input[4];     /* input scale * weights' scale * 2^12, by gate */
  tinyml_nn_scale recurrent[4]; /* hidden state's scale * weights' scale * 2^12, by gate */
  tinyml_nn_scale cell;         /* 2^-30 / cell state's scale */
  int32_t lowest_cell;
  int32_t highest_cell;
  int32_t tanh_multiplier; /* cell state * 3 * 2^12 * its scale = cell state * multiplier / 2^shift */
  int32_t tanh_shift;
  tinyml_nn_scale output; /* 2^-30 / output scale */
  int32_t output_zero_point;
} tinyml_nn_lstm;

/* A long short-term memory over whole sequences, which begin in the state that the last ones ended in.
 *
 * Input [rows][inputs], input weights [units][4 gates][inputs], recurrent weights [units][4 gates][units],
 * biases [units][of the input, of the hidden state][4 gates], hidden and cell state [batches][units], output
 * [rows][units], of the hidden state's scale. The gates are those of input, forgetting, cell and output. A
 * row of the output is written before all of that row's input is read. */
void tinyml_nn_lstm_s8(const tinyml_nn_lstm* lstm, const int8_t* input, const int8_t* input_weights,
                       const int8_t* recurrent_weights, const int32_t* bias, int8_t* hidden, int16_t* cell,
                       int8_t* output);

#ifdef __cplusplus
}
#endif

#endif /* TINYML_NN_RECURRENT_H */
