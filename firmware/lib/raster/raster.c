#include "raster.h"

#include <string.h>

enum {
  kMargin = 2,
  /* A stroke within this many units is not scaled: noise would fill the picture. */
  kSmallestExtent = 16,
  kSubpixelBits = 8,
  kSubpixels = 1 << kSubpixelBits,
  kStep = kSubpixels / 2, /* half a pixel between dots leaves no gaps */
};

typedef uint8_t Picture[RASTER_SIZE][RASTER_SIZE][RASTER_CHANNELS];

/* Subpixels: column to the right, row down. */
typedef struct {
  int32_t x;
  int32_t y;
} Place;

/* From the middle of the stroke, doubled so that the middle of an odd extent is an integer, to the picture.
 */
typedef struct {
  int32_t middle_x2;
  int32_t middle_y2;
  int32_t extent;
} Frame;

static int32_t pixel(int32_t subpixels) {
  const int32_t index = subpixels >> kSubpixelBits;
  return index < 0 ? 0 : index >= RASTER_SIZE ? RASTER_SIZE - 1 : index;
}

/* Sets a pixel to the colour of `time`, 0..511. */
static void dot(Picture picture, int32_t x, int32_t y, int32_t time) {
  uint8_t* color = picture[pixel(y)][pixel(x)];
  if (time < 256) {
    color[0] = (uint8_t)(255 - time);
    color[1] = (uint8_t)time;
    color[2] = 0;
  } else {
    color[0] = 0;
    color[1] = (uint8_t)(511 - time);
    color[2] = (uint8_t)(time - 256);
  }
}

static Frame frame_of(const RasterPoint* points, size_t count) {
  int32_t left = points[0].x, right = left, bottom = points[0].y, top = bottom;
  for (size_t i = 1; i < count; ++i) {
    left = points[i].x < left ? points[i].x : left;
    right = points[i].x > right ? points[i].x : right;
    bottom = points[i].y < bottom ? points[i].y : bottom;
    top = points[i].y > top ? points[i].y : top;
  }
  const int32_t width = right - left, height = top - bottom;
  const int32_t extent = width > height ? width : height;
  const Frame frame = {left + right, bottom + top, extent < kSmallestExtent ? kSmallestExtent : extent};
  return frame;
}

static Place place(const Frame* frame, RasterPoint point) {
  const int32_t side = (RASTER_SIZE - 2 * kMargin) * kSubpixels;
  const int32_t middle = RASTER_SIZE * kSubpixels / 2;
  const Place result = {
      middle + (2 * point.x - frame->middle_x2) * side / (2 * frame->extent),
      middle - (2 * point.y - frame->middle_y2) * side / (2 * frame->extent),
  };
  return result;
}

static int32_t magnitude(int32_t value) {
  return value < 0 ? -value : value;
}

static void line(Picture picture, Place from, Place to, int32_t index, int32_t last) {
  const int32_t dx = to.x - from.x, dy = to.y - from.y;
  const int32_t longer = magnitude(dx) > magnitude(dy) ? magnitude(dx) : magnitude(dy);
  const int32_t steps = longer / kStep + 1;
  for (int32_t step = 0; step <= steps; ++step) {
    dot(picture, from.x + dx * step / steps, from.y + dy * step / steps,
        (index * steps + step) * 511 / (last * steps));
  }
}

void raster_draw(const RasterPoint* points, size_t count, Picture picture) {
  memset(picture, 0, sizeof(Picture));
  const Frame frame = frame_of(points, count);
  Place from = place(&frame, points[0]);
  if (count == 1) {
    dot(picture, from.x, from.y, 0);
  }
  for (size_t i = 1; i < count; ++i) {
    const Place to = place(&frame, points[i]);
    line(picture, from, to, (int32_t)i - 1, (int32_t)count - 1);
    from = to;
  }
}

void raster_to_input(const uint8_t picture[RASTER_SIZE][RASTER_SIZE][RASTER_CHANNELS], int32_t multiplier,
                     int32_t offset, unsigned shift, int8_t* input) {
  const uint8_t* pixel = &picture[0][0][0];
  for (size_t i = 0; i < RASTER_SIZE * RASTER_SIZE * RASTER_CHANNELS; ++i) {
    const int32_t q = (pixel[i] * multiplier + offset) >> shift;
    input[i] = (int8_t)(q < -128 ? -128 : q > 127 ? 127 : q);
  }
}
