/* A stroke to a picture for a network, in integers.
 *
 * The stroke is centred and scaled to fill the picture, so neither position nor size matters. Time is
 * encoded in colour: red at the start, green in the middle, blue at the end.
 * tinyml_cli/features/raster.py computes the same numbers.
 */
#ifndef RASTER_H_
#define RASTER_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RASTER_SIZE 32
#define RASTER_CHANNELS 3
#define RASTER_MAX_POINTS 160

/* x to the right and y up, in 128ths. */
typedef struct {
  int8_t x;
  int8_t y;
} RasterPoint;

/* Draws `count` points, 1..RASTER_MAX_POINTS, as red, green and blue of each pixel, row 0 on top. */
void raster_draw(const RasterPoint* points, size_t count,
                 uint8_t picture[RASTER_SIZE][RASTER_SIZE][RASTER_CHANNELS]);

/* A picture as a model's int8 input: clamp((pixel * multiplier + offset) >> shift, -128, 127). */
void raster_to_input(const uint8_t picture[RASTER_SIZE][RASTER_SIZE][RASTER_CHANNELS], int32_t multiplier,
                     int32_t offset, unsigned shift, int8_t* input);

#ifdef __cplusplus
}
#endif

#endif /* RASTER_H_ */
