/* From motion to strokes: when the wand is waved between two rests, the path of its tip as seen by a person
 * behind it, with gravity as down. The stroke does not depend on the rotation of the wand in the hand.
 * README.md derives it; tinyml_cli/features/motion.py computes the same numbers.
 */
#ifndef WAND_STROKE_H_
#define WAND_STROKE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attitude.h"
#include "raster.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The longest stroke: 4.3 s at 119 Hz. */
#define WAND_STROKE_CAPACITY 512

typedef enum {
  WAND_NOTHING,
  WAND_STARTED,
  WAND_DONE,     /* a stroke lies ready for wand_stroke_points() */
  WAND_TOO_LONG, /* waved for longer than can be kept; the next stroke begins after a rest */
} WandEvent;

typedef enum { WAND_WAITING, WAND_DRAWING, WAND_IGNORING } WandPhase;

typedef struct {
  Attitude attitude;
  WandPhase phase;
  int16_t directions[WAND_STROKE_CAPACITY][3]; /* of the tip, in the world, Q15; a ring */
  uint16_t next;
  uint16_t held;
  uint16_t fast; /* samples in a row */
  uint16_t slow;
} WandStroke;

/* Restarts; `rate_millihz` as for attitude_reset(). */
void wand_stroke_reset(WandStroke* wand, uint32_t rate_millihz);

WandEvent wand_stroke_push(WandStroke* wand, const int16_t sample[ATTITUDE_SAMPLE_VALUES]);

/* The stroke after WAND_DONE and before the next sample, centred on its middle, x to the right and y up in
 * 128ths of the wand's length; at most RASTER_MAX_POINTS. Returns the number of points: 0 if the wand hardly
 * moved, or pointed straight up or down. */
size_t wand_stroke_points(const WandStroke* wand, RasterPoint* points);

/* Rotates a stroke about its centroid until it starts straight above: strokes that differ only by a
 * rotation become equal. J. Wobbrock et al., "Gestures without libraries, toolkits or training", UIST 2007.
 */
void wand_stroke_turn(RasterPoint* points, size_t count);

#ifdef __cplusplus
}
#endif

#endif /* WAND_STROKE_H_ */
