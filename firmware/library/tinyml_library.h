/* The model, from what a sensor gives to what it means. In plain C; one model in a program.
 *
 * Everything is decided when the library is made: names and numbers, such as kLabels and SAMPLE_RATE_HZ, are
 * in model_settings.h. There is no heap, and nothing is printed.
 */
#ifndef TINYML_LIBRARY_H_
#define TINYML_LIBRARY_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model_settings.h"
#include "tinyml_build.h"

#if defined(TINYML_APP_VWW)
#include "image.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define TINYML_NOTHING (-1)

/* Starts, or starts anew: all that was heard, felt or seen is forgotten. False if the settings are not
 * possible. */
bool tinyml_begin(void);

#if defined(TINYML_APP_KWS)
/* Takes samples of the microphone at SAMPLE_RATE_HZ, any number at a time. Returns the index in kLabels of
 * the word that they complete, or TINYML_NOTHING. */
int tinyml_hear(const int16_t* samples, size_t count);

/* The features of the last frame, FEATURE_CHANNELS values. */
const uint16_t* tinyml_features(void);
#endif

#if defined(TINYML_APP_WAND)
/* Takes a sample of the motion sensor at SAMPLE_RATE_MILLIHZ: acceleration x, y, z in g / 1000, rotation x,
 * y, z in 0.1 degrees a second. Returns the index in kLabels of the gesture that it ends, or TINYML_NOTHING.
 */
int tinyml_move(const int16_t sample[6]);
#endif

#if defined(TINYML_APP_VWW)
/* Takes a frame of the camera, FRAME_BYTES. Returns the index in kLabels of what is seen for some frames now,
 * or TINYML_NOTHING. */
int tinyml_look(const uint8_t* frame);
#endif

#if defined(TINYML_APP_ANOMALY)
/* Takes values of the sensor, all channels of a sample in turn, any number at a time. Returns 1 if an alarm
 * begins, 0 if it ends, otherwise TINYML_NOTHING. */
int tinyml_watch(const int16_t* values, size_t count);
#endif

#if defined(TINYML_APP_HELLO)
/* The brightness of a point of the curve, 0 to 255; point CURVE_POINTS is the first one again. */
int tinyml_draw(uint32_t point);
#endif

/* The score of what was returned last, in thousandths; of a machine, that of the last window in thousandths
 * of the threshold. */
uint32_t tinyml_score_permille(void);

/* How often the model ran since tinyml_begin(). */
uint32_t tinyml_inferences(void);

/* The model alone: write all of its input, invoke it, read its output. `bytes` may be NULL. The output lasts
 * until the next input. tinyml_invoke() is false if the model refuses its arguments. */
int8_t* tinyml_input(size_t* bytes);
bool tinyml_invoke(void);
const int8_t* tinyml_output(size_t* bytes);

#ifdef __cplusplus
}
#endif

#endif /* TINYML_LIBRARY_H_ */
