#include "wand_stroke.h"

#include <string.h>

#include "integer_root.h"

enum {
  kPointingAxis = 0, /* the wand points along -x: the socket of the board is at the hand */
  /* Rates in (0.1 deg/s)^2: a stroke starts above the first and ends below the second. */
  kStartSpeed = 250 * 250,
  kStopSpeed = 150 * 150,
  kStartSamples = 3,
  kStopSamples = 30,
  kBefore = 12,         /* samples kept from before it begins */
  kAfter = 4,           /* and of the rest after it */
  kSmallestExtent = 12, /* of a stroke, in 128ths */
  kSteepest = 4,        /* the horizontal part of where it points is at least 1 / 4 */
  kOneQ15 = 32767,
};

/* The plane of a stroke: right is (x, y, 0), up is (height y, -height x, level) of the world. */
typedef struct {
  int64_t right_x;
  int64_t right_y;
  int64_t height;
  int64_t level;
} Plane;

void wand_stroke_reset(WandStroke* wand, uint32_t rate_millihz) {
  memset(wand, 0, sizeof(*wand));
  attitude_reset(&wand->attitude, rate_millihz);
}

static void keep_direction(WandStroke* wand) {
  int16_t* direction = wand->directions[wand->next];
  attitude_axis(&wand->attitude, kPointingAxis, direction);
  for (int i = 0; i < 3; ++i) {
    direction[i] = (int16_t)-direction[i];
  }
  wand->next = (uint16_t)((wand->next + 1) % WAND_STROKE_CAPACITY);
  ++wand->held;
}

static WandEvent wait(WandStroke* wand) {
  const uint16_t most = kBefore + kStartSamples;
  wand->held = wand->held < most ? wand->held : most;
  if (wand->fast < kStartSamples || !wand->attitude.aligned) {
    return WAND_NOTHING;
  }
  wand->phase = WAND_DRAWING;
  return WAND_STARTED;
}

static WandEvent draw(WandStroke* wand) {
  if (wand->slow >= kStopSamples) {
    const uint16_t rest = kStopSamples - kAfter;
    wand->held = (uint16_t)(wand->held - rest);
    wand->next = (uint16_t)((wand->next + WAND_STROKE_CAPACITY - rest) % WAND_STROKE_CAPACITY);
    wand->phase = WAND_IGNORING;
    return WAND_DONE;
  }
  if (wand->held == WAND_STROKE_CAPACITY) {
    wand->phase = WAND_IGNORING;
    return WAND_TOO_LONG;
  }
  return WAND_NOTHING;
}

static void ignore(WandStroke* wand) {
  if (wand->slow >= kStopSamples) {
    wand->phase = WAND_WAITING;
    wand->held = 0;
  }
}

WandEvent wand_stroke_push(WandStroke* wand, const int16_t sample[ATTITUDE_SAMPLE_VALUES]) {
  attitude_push(&wand->attitude, sample);
  const int64_t speed = attitude_speed_squared(&wand->attitude);
  wand->fast = (uint16_t)(speed > kStartSpeed ? wand->fast + (wand->fast < kStartSamples) : 0);
  wand->slow = (uint16_t)(speed < kStopSpeed ? wand->slow + (wand->slow < kStopSamples) : 0);
  if (wand->phase == WAND_IGNORING) {
    ignore(wand);
    return WAND_NOTHING;
  }
  keep_direction(wand);
  return wand->phase == WAND_WAITING ? wait(wand) : draw(wand);
}

static const int16_t* direction_at(const WandStroke* wand, size_t index) {
  const size_t first = (size_t)wand->next + WAND_STROKE_CAPACITY - wand->held;
  return wand->directions[(first + index) % WAND_STROKE_CAPACITY];
}

/* The plane perpendicular to the mean direction; false if that is too steep to tell right from left. */
static bool find_plane(const WandStroke* wand, Plane* plane) {
  int64_t x = 0, y = 0, z = 0;
  for (size_t i = 0; i < wand->held; ++i) {
    const int16_t* direction = direction_at(wand, i);
    x += direction[0];
    y += direction[1];
    z += direction[2];
  }
  const int64_t level = (int64_t)integer_root((uint64_t)(x * x + y * y));
  const int64_t length = (int64_t)integer_root((uint64_t)(x * x + y * y + z * z));
  if (level == 0 || level * kSteepest < length) {
    return false;
  }
  plane->right_x = y * kOneQ15 / level;
  plane->right_y = -x * kOneQ15 / level;
  plane->height = z * kOneQ15 / length;
  plane->level = level * kOneQ15 / length;
  return true;
}

/* The tip on the plane, Q15. */
static void project(const Plane* plane, const int16_t direction[3], int32_t seen[2]) {
  const int64_t right = direction[0] * plane->right_x + direction[1] * plane->right_y;
  const int64_t ahead = (direction[1] * plane->right_x - direction[0] * plane->right_y) >> 15;
  seen[0] = (int32_t)(right >> 15);
  seen[1] = (int32_t)((direction[2] * plane->level - ahead * plane->height) >> 15);
}

static int8_t to_int8(int32_t value) {
  return (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
}

size_t wand_stroke_points(const WandStroke* wand, RasterPoint* points) {
  Plane plane;
  if (wand->held < 2 || !find_plane(wand, &plane)) {
    return 0;
  }
  int32_t low[2] = {INT32_MAX, INT32_MAX}, high[2] = {INT32_MIN, INT32_MIN}, seen[2];
  for (size_t i = 0; i < wand->held; ++i) {
    project(&plane, direction_at(wand, i), seen);
    for (int side = 0; side < 2; ++side) {
      low[side] = seen[side] < low[side] ? seen[side] : low[side];
      high[side] = seen[side] > high[side] ? seen[side] : high[side];
    }
  }
  if (high[0] - low[0] < kSmallestExtent * 256 && high[1] - low[1] < kSmallestExtent * 256) {
    return 0;
  }
  const size_t last = (size_t)wand->held - 1;
  const size_t count = wand->held < RASTER_MAX_POINTS ? wand->held : RASTER_MAX_POINTS;
  for (size_t i = 0; i < count; ++i) {
    project(&plane, direction_at(wand, (2 * i * last + count - 1) / (2 * (count - 1))), seen);
    points[i].x = to_int8((seen[0] - ((low[0] + high[0]) >> 1) + 128) >> 8);
    points[i].y = to_int8((seen[1] - ((low[1] + high[1]) >> 1) + 128) >> 8);
  }
  return count;
}

void wand_stroke_turn(RasterPoint* points, size_t count) {
  const int64_t n = (int64_t)count;
  int64_t sum_x = 0, sum_y = 0;
  for (size_t i = 0; i < count; ++i) {
    sum_x += points[i].x;
    sum_y += points[i].y;
  }
  const int64_t up_x = count > 0 ? points[0].x * n - sum_x : 0;
  const int64_t up_y = count > 0 ? points[0].y * n - sum_y : 0;
  const int64_t length = (int64_t)integer_root((uint64_t)(up_x * up_x + up_y * up_y));
  if (length == 0) {
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    const int64_t x = points[i].x * n - sum_x, y = points[i].y * n - sum_y;
    points[i].x = to_int8((int32_t)((x * up_y - y * up_x) / (length * n)));
    points[i].y = to_int8((int32_t)((x * up_x + y * up_y) / (length * n)));
  }
}
