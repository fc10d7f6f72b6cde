/* Changes of an image's size. */
#ifndef TINYML_NN_RESIZE_H
#define TINYML_NN_RESIZE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t input_width;
  int32_t output_height, output_width;
  int32_t channels;
} tinyml_nn_resize;

/* Each pixel is one of the input's: `rows` [output_height] and `columns` [output_width] say which. */
void tinyml_nn_resize_nearest_s8(const tinyml_nn_resize* resize, const int16_t* rows, const int16_t* columns,
                                 const int8_t* input, int8_t* output);

enum { TINYML_NN_RESIZE_UNIT = 1 << 10 };

/* Each pixel is a mean of four. `rows` [output_height][3] and `columns` [output_width][3] hold the first and
 * the second line of the input, and the weight of the second in units of 1 / TINYML_NN_RESIZE_UNIT; the
 * weight is negative only where both are the same line. */
void tinyml_nn_resize_bilinear_s8(const tinyml_nn_resize* resize, const int16_t* rows, const int16_t* columns,
                                  const int8_t* input, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif /* TINYML_NN_RESIZE_H */
