/* sigmoid and tanh of 16-bit values, from one table. */
#ifndef TINYML_NN_SIGMOID_S16_H
#define TINYML_NN_SIGMOID_S16_H

#include <stdint.h>

/* What stands for 1 in an argument: a number in Q3.12, times 3. */
enum { kSigmoidUnit = 3 << 12 };

/* Both in Q0.15; |x| < 2^31. */
int32_t sigmoid_q15(int32_t x);
int32_t tanh_q15(int32_t x);

#endif /* TINYML_NN_SIGMOID_S16_H */
