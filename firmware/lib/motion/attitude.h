/* Orientation of a board, from its gyroscope and accelerometer, in integers.
 *
 * At rest, the bias of the gyroscope and the direction of gravity are measured. While the board moves, its
 * rotation is integrated, and corrected towards gravity if the accelerometer measures little else. Heading is
 * relative: nothing measures it. README.md derives the formulas; tinyml_cli/features/motion.py computes the
 * same numbers.
 *
 * Samples are int16 [6] as in the serial command `imu`: acceleration x, y, z in g / 1000, rotation x,
 * y, z in 0.1 deg/s, all on one right-handed set of axes.
 */
#ifndef ATTITUDE_H_
#define ATTITUDE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ATTITUDE_SAMPLE_VALUES 6
/* Duration of rest before it counts, about a quarter of a second at 119 Hz. A power of two. */
#define ATTITUDE_REST_SAMPLES 32

typedef struct {
  int32_t quaternion[4]; /* w, x, y, z in Q30: board -> world, whose z points up */
  int32_t bias_q8[3];    /* of the gyroscope, in 0.1 deg/s / 256 */
  bool aligned;          /* there has been a rest: up is known */
  bool at_rest;          /* now */
  int64_t step_q38;      /* half an angle in radians, for 0.1 deg/s over one sample */
  int16_t recent[ATTITUDE_REST_SAMPLES][ATTITUDE_SAMPLE_VALUES];
  uint8_t recent_count;
  uint8_t next;
} Attitude;

/* Restarts; `rate_millihz` is the rate of the samples, 10,000 to 10,000,000. */
void attitude_reset(Attitude* attitude, uint32_t rate_millihz);

void attitude_push(Attitude* attitude, const int16_t sample[ATTITUDE_SAMPLE_VALUES]);

/* Angular rate of the last sample without the bias, squared, in (0.1 deg/s)^2. */
int64_t attitude_speed_squared(const Attitude* attitude);

/* Direction of an axis of the board (0, 1, 2) in the world, in Q15. */
void attitude_axis(const Attitude* attitude, int axis, int16_t world[3]);

#ifdef __cplusplus
}
#endif

#endif /* ATTITUDE_H_ */
