/* exp, log, exp - 1 and tanh in single precision, the same bits on every processor.
 *
 * A C library's differ from one to the next by units in the last place. These take the steps of glibc 2.36,
 * which TensorFlow Lite Micro's Python runtime calls: exp and log as in Arm's Optimized Routines (2018),
 * expm1 and tanh as in Sun's fdlibm (1993). They set no errno and no flags.
 */
#ifndef TINYML_NN_ELEMENTARY_F32_H
#define TINYML_NN_ELEMENTARY_F32_H

/* No product and sum in one rounding, whatever the processor has. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

float tinyml_nn_exp_f32(float x);
float tinyml_nn_log_f32(float x);
float tinyml_nn_expm1_f32(float x);
float tinyml_nn_tanh_f32(float x);

#endif /* TINYML_NN_ELEMENTARY_F32_H */
