#include "attitude.h"

#include <string.h>

#include "integer_root.h"

enum {
  kOneQ30 = 1 << 30,
  /* The correction per sample towards gravity: at rest about 1 / 33 of the difference, otherwise 1 / 1049.
   */
  kRestPullShift = 16,
  kMovingPullShift = 21,
  kBiasShift = 5, /* a bias that is known moves by 1 / 32 a sample: the start of a movement hardly counts */
  kLargestHalfAngle = 1 << 29,
  /* A sample's acceleration counts as gravity if within a tenth of it; squares, in (g / 1000)^2. */
  kLowGravity = 900 * 900,
  kHighGravity = 1100 * 1100,
  /* Largest spread at rest, g / 1000 and 0.1 deg/s, and largest offset of the gyroscope. */
  kRestForceSpread = 200,
  kRestRateSpread = 120,
  kLargestBias = 400,
};

/* 2^38 pi / 3600, for millihertz: radians of half an angle, of 0.1 deg/s over a second. */
static const int64_t kStepMillihertzQ38 = 239876225858;

static int32_t clamp32(int64_t value) {
  return (int32_t)(value < INT32_MIN ? INT32_MIN : value > INT32_MAX ? INT32_MAX : value);
}

void attitude_reset(Attitude* attitude, uint32_t rate_millihz) {
  memset(attitude, 0, sizeof(*attitude));
  attitude->quaternion[0] = kOneQ30;
  attitude->step_q38 = kStepMillihertzQ38 / rate_millihz;
}

static const int16_t* newest(const Attitude* attitude) {
  return attitude->recent[(attitude->next + ATTITUDE_REST_SAMPLES - 1) % ATTITUDE_REST_SAMPLES];
}

int64_t attitude_speed_squared(const Attitude* attitude) {
  const int16_t* sample = newest(attitude);
  int64_t sum = 0;
  for (int i = 0; i < 3; ++i) {
    const int64_t rate = sample[3 + i] - (attitude->bias_q8[i] >> 8);
    sum += rate * rate;
  }
  return sum;
}

/* Whether the board was at rest during the recent samples; their sums. */
static bool rests(const Attitude* attitude, int32_t sums[ATTITUDE_SAMPLE_VALUES]) {
  if (attitude->recent_count < ATTITUDE_REST_SAMPLES) {
    return false;
  }
  for (int value = 0; value < ATTITUDE_SAMPLE_VALUES; ++value) {
    int32_t low = INT16_MAX, high = INT16_MIN;
    sums[value] = 0;
    for (int i = 0; i < ATTITUDE_REST_SAMPLES; ++i) {
      const int32_t x = attitude->recent[i][value];
      low = x < low ? x : low;
      high = x > high ? x : high;
      sums[value] += x;
    }
    const bool is_rate = value >= 3;
    if (high - low > (is_rate ? kRestRateSpread : kRestForceSpread) ||
        (is_rate && (sums[value] > kLargestBias * ATTITUDE_REST_SAMPLES ||
                     sums[value] < -kLargestBias * ATTITUDE_REST_SAMPLES))) {
      return false;
    }
  }
  return true;
}

static void normalise(int32_t q[4]) {
  int64_t square = 0;
  for (int i = 0; i < 4; ++i) {
    square += (int64_t)q[i] * q[i] >> 30;
  }
  /* One step of Newton's method towards 1 / sqrt(square): accurate enough, since q had length 1 before. */
  const int64_t factor = (3 * (int64_t)kOneQ30 - square) / 2;
  for (int i = 0; i < 4; ++i) {
    q[i] = clamp32(q[i] * factor >> 30);
  }
}

/* The shortest rotation that takes a measured up direction to the world's. */
static void align(Attitude* attitude, const int32_t force[3]) {
  int64_t square = 0;
  for (int i = 0; i < 3; ++i) {
    square += (int64_t)force[i] * force[i];
  }
  const int64_t length = (int64_t)integer_root((uint64_t)square);
  if (length == 0) {
    return;
  }
  const int64_t raw[4] = {length + force[2], force[1], -(int64_t)force[0], 0};
  int64_t raw_square = 0;
  for (int i = 0; i < 4; ++i) {
    raw_square += raw[i] * raw[i];
  }
  const int64_t raw_length = (int64_t)integer_root((uint64_t)raw_square);
  /* Upside down, there are many; this is the one about x. */
  const bool upside_down = raw_length * 64 < length;
  for (int i = 0; i < 4; ++i) {
    attitude->quaternion[i] = upside_down ? (i == 1 ? kOneQ30 : 0) : clamp32(raw[i] * kOneQ30 / raw_length);
  }
  normalise(attitude->quaternion);
  attitude->aligned = true;
}

/* The world's up direction on the board's axes, Q30. */
static void up_on_board(const int32_t q[4], int64_t up[3]) {
  const int64_t w = q[0], x = q[1], y = q[2], z = q[3];
  up[0] = (x * z - w * y) >> 29;
  up[1] = (y * z + w * x) >> 29;
  up[2] = kOneQ30 - ((x * x + y * y) >> 29);
}

/* Half the angle, radians in Q30, that rotates the estimate towards the measured up direction. */
static void pull_of_gravity(const Attitude* attitude, const int16_t force[3], int64_t half[3]) {
  int64_t square = 0;
  for (int i = 0; i < 3; ++i) {
    square += (int64_t)force[i] * force[i];
  }
  const bool is_gravity = square > kLowGravity && square < kHighGravity;
  int64_t up[3];
  up_on_board(attitude->quaternion, up);
  for (int i = 0; i < 3; ++i) {
    const int j = (i + 1) % 3, k = (i + 2) % 3;
    const int64_t cross = force[j] * up[k] - force[k] * up[j];
    half[i] = is_gravity ? cross >> (attitude->at_rest ? kRestPullShift : kMovingPullShift) : 0;
  }
}

/* `half`: of the angle turned about each axis, radians in Q30. */
static void turn(Attitude* attitude, const int64_t half[3]) {
  int64_t square = 0;
  for (int i = 0; i < 3; ++i) {
    square += half[i] * half[i] >> 30;
  }
  /* Series of cosine and of sine over angle. */
  const int64_t fourth = square * square >> 30;
  const int64_t c = kOneQ30 - square / 2 + fourth / 24;
  const int64_t s = kOneQ30 - square / 6 + fourth / 120;
  const int64_t x1 = half[0] * s >> 30, y1 = half[1] * s >> 30, z1 = half[2] * s >> 30;
  const int32_t* q = attitude->quaternion;
  const int64_t w = q[0], x = q[1], y = q[2], z = q[3];
  const int32_t turned[4] = {
      clamp32((w * c - x * x1 - y * y1 - z * z1) >> 30),
      clamp32((w * x1 + x * c + y * z1 - z * y1) >> 30),
      clamp32((w * y1 - x * z1 + y * c + z * x1) >> 30),
      clamp32((w * z1 + x * y1 - y * x1 + z * c) >> 30),
  };
  memcpy(attitude->quaternion, turned, sizeof(turned));
  normalise(attitude->quaternion);
}

static void learn_rest(Attitude* attitude, const int32_t sums[ATTITUDE_SAMPLE_VALUES]) {
  for (int i = 0; i < 3; ++i) {
    const int32_t mean_q8 = sums[3 + i] * (256 / ATTITUDE_REST_SAMPLES);
    const int32_t bias_q8 = attitude->bias_q8[i];
    attitude->bias_q8[i] = attitude->aligned ? bias_q8 + ((mean_q8 - bias_q8) >> kBiasShift) : mean_q8;
  }
  if (!attitude->aligned) {
    align(attitude, sums);
  }
}

void attitude_push(Attitude* attitude, const int16_t sample[ATTITUDE_SAMPLE_VALUES]) {
  memcpy(attitude->recent[attitude->next], sample, sizeof(attitude->recent[0]));
  attitude->next = (uint8_t)((attitude->next + 1) % ATTITUDE_REST_SAMPLES);
  attitude->recent_count =
      (uint8_t)(attitude->recent_count + (attitude->recent_count < ATTITUDE_REST_SAMPLES));
  int32_t sums[ATTITUDE_SAMPLE_VALUES];
  attitude->at_rest = rests(attitude, sums);
  if (attitude->at_rest) {
    learn_rest(attitude, sums);
  }
  int64_t half[3];
  pull_of_gravity(attitude, sample, half);
  for (int i = 0; i < 3; ++i) {
    const int64_t rate_q8 = (int64_t)sample[3 + i] * 256 - attitude->bias_q8[i];
    half[i] += rate_q8 * attitude->step_q38 >> 16;
    half[i] = half[i] > kLargestHalfAngle    ? kLargestHalfAngle
              : half[i] < -kLargestHalfAngle ? -kLargestHalfAngle
                                             : half[i];
  }
  turn(attitude, half);
}

void attitude_axis(const Attitude* attitude, int axis, int16_t world[3]) {
  const int32_t* q = attitude->quaternion;
  const int j = (axis + 1) % 3, k = (axis + 2) % 3;
  const int64_t w = q[0], a = q[1 + axis], b = q[1 + j], c = q[1 + k];
  const int64_t q30[3] = {kOneQ30 - ((b * b + c * c) >> 29), (a * b + w * c) >> 29, (a * c - w * b) >> 29};
  const int order[3] = {axis, j, k};
  for (int i = 0; i < 3; ++i) {
    const int64_t q15 = (q30[i] + (1 << 14)) >> 15;
    world[order[i]] = (int16_t)(q15 > INT16_MAX ? INT16_MAX : q15 < -INT16_MAX ? -INT16_MAX : q15);
  }
}
