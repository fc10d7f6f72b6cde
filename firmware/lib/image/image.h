/* One camera frame to the model's int8 input, in integers.
 *
 * The centred square of the frame is scaled to size x size by area averaging: an output pixel is the exact
 * mean of the source area below it, rounded to nearest. A pixel p of 0..255 then becomes
 *
 *   q = clamp((p * multiplier + offset) >> shift, -128, 127)
 *
 * with constants that the host derives from the scale of the model's input. tinyml_cli/features/image.py
 * computes the same numbers.
 */
#ifndef IMAGE_H_
#define IMAGE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sums of 255 * side^2 fit 32 bits far beyond this; no board can hold a larger frame. */
#define IMAGE_MAX_SIDE 1024

typedef enum {
  IMAGE_GREY8 = 0,  /* one byte a pixel */
  IMAGE_RGB565 = 1, /* two bytes a pixel, the high one first, as the OV7675 sends them */
} ImageFormat;

typedef struct {
  uint16_t frame_width;
  uint16_t frame_height;
  ImageFormat format;
  uint16_t size;    /* of the model's square input */
  uint8_t channels; /* of the model's input: 1 (grey) or 3 (red, green, blue) */
  int32_t multiplier;
  int32_t offset;
  uint8_t shift;
} ImageConfig;

/* Whether image_to_input() supports these settings. */
bool image_config_ok(const ImageConfig* config);

/* Bytes of one frame. */
size_t image_frame_bytes(const ImageConfig* config);

/* Writes size * size * channels values. The settings must be ok; input must not be inside frame. */
void image_to_input(const ImageConfig* config, const uint8_t* frame, int8_t* input);

#ifdef __cplusplus
}
#endif

#endif /* IMAGE_H_ */
