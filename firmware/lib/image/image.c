#include "image.h"

#define MAX_CHANNELS 3

/* The part of one axis below one output pixel: pixels first..last, the outer two partially. Lengths are in
 * units of 1/size of a source pixel, so they are whole numbers and add up to the square's side. */
typedef struct {
  uint32_t begin;
  uint32_t end;
  uint32_t first;
  uint32_t last;
} Stretch;

static Stretch stretch_below(uint32_t index, uint32_t side, uint32_t size) {
  Stretch stretch;
  stretch.begin = index * side;
  stretch.end = stretch.begin + side;
  stretch.first = stretch.begin / size;
  stretch.last = (stretch.end - 1) / size;
  return stretch;
}

static uint32_t weight_of(const Stretch* stretch, uint32_t pixel, uint32_t size) {
  const uint32_t begin = pixel * size > stretch->begin ? pixel * size : stretch->begin;
  const uint32_t end = (pixel + 1) * size < stretch->end ? (pixel + 1) * size : stretch->end;
  return end - begin;
}

/* ITU-R BT.601 luma, weights in 256ths. */
static uint32_t luma(uint32_t red, uint32_t green, uint32_t blue) {
  return (77 * red + 150 * green + 29 * blue + 128) >> 8;
}

/* The channels of one pixel of the frame; five and six bits are expanded to eight by repeating their top. */
static void read_pixel(const ImageConfig* config, const uint8_t* frame, uint32_t index,
                       uint32_t values[MAX_CHANNELS]) {
  if (config->format == IMAGE_GREY8) {
    values[0] = values[1] = values[2] = frame[index];
    return;
  }
  const uint32_t word = (uint32_t)frame[2 * index] << 8 | frame[2 * index + 1];
  const uint32_t red = word >> 11, green = word >> 5 & 0x3F, blue = word & 0x1F;
  values[0] = red << 3 | red >> 2;
  values[1] = green << 2 | green >> 4;
  values[2] = blue << 3 | blue >> 2;
  if (config->channels == 1) {
    values[0] = luma(values[0], values[1], values[2]);
  }
}

static int8_t quantize(const ImageConfig* config, uint32_t value) {
  const int32_t q = ((int32_t)value * config->multiplier + config->offset) >> config->shift;
  return (int8_t)(q < INT8_MIN ? INT8_MIN : q > INT8_MAX ? INT8_MAX : q);
}

bool image_config_ok(const ImageConfig* config) {
  return config->frame_width > 0 && config->frame_width <= IMAGE_MAX_SIDE && config->frame_height > 0 &&
         config->frame_height <= IMAGE_MAX_SIDE &&
         (config->format == IMAGE_GREY8 || config->format == IMAGE_RGB565) && config->size > 0 &&
         config->size <= IMAGE_MAX_SIDE && (config->channels == 1 || config->channels == MAX_CHANNELS) &&
         /* the product and the sum with the offset fit 31 bits */
         config->multiplier >= 0 && config->multiplier < (1 << 22) && config->offset > -(1 << 30) &&
         config->offset < (1 << 30) && config->shift <= 24;
}

size_t image_frame_bytes(const ImageConfig* config) {
  const size_t pixels = (size_t)config->frame_width * config->frame_height;
  return config->format == IMAGE_RGB565 ? 2 * pixels : pixels;
}

void image_to_input(const ImageConfig* config, const uint8_t* frame, int8_t* input) {
  const uint32_t width = config->frame_width, height = config->frame_height, size = config->size;
  const uint32_t side = width < height ? width : height;
  const uint32_t left = (width - side) / 2, top = (height - side) / 2;
  const uint32_t area = side * side;
  for (uint32_t row = 0; row < size; ++row) {
    const Stretch vertical = stretch_below(row, side, size);
    for (uint32_t column = 0; column < size; ++column) {
      const Stretch horizontal = stretch_below(column, side, size);
      uint32_t sums[MAX_CHANNELS] = {0, 0, 0};
      for (uint32_t y = vertical.first; y <= vertical.last; ++y) {
        const uint32_t down = weight_of(&vertical, y, size);
        for (uint32_t x = horizontal.first; x <= horizontal.last; ++x) {
          const uint32_t weight = down * weight_of(&horizontal, x, size);
          uint32_t values[MAX_CHANNELS];
          read_pixel(config, frame, (top + y) * width + left + x, values);
          for (uint32_t channel = 0; channel < config->channels; ++channel) {
            sums[channel] += weight * values[channel];
          }
        }
      }
      for (uint32_t channel = 0; channel < config->channels; ++channel) {
        *input++ = quantize(config, (sums[channel] + area / 2) / area);
      }
    }
  }
}
