/* Windows of motion for a network: they start at a jolt, or at a regular stride.
 * tinyml_cli/features/motion_windows.py computes the same. */
#ifndef MOTION_WINDOW_H_
#define MOTION_WINDOW_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MOTION_VALUES 6
#define MOTION_MAX_WINDOW 512

typedef struct {
  uint16_t window_samples; /* 1..MOTION_MAX_WINDOW */
  uint16_t stride_samples; /* 1..window_samples, from window to window where start_mg is 0 */
  uint16_t start_mg;       /* a window begins where |ax| + |ay| + |az| reaches it */
  uint32_t suppression_samples;
  int32_t multipliers[MOTION_VALUES]; /* value x multiplier / 2^shift + zero_point is the model's input */
  uint8_t shift;
  int8_t zero_point;
} MotionWindowConfig;

typedef struct {
  MotionWindowConfig config;
  int16_t samples[MOTION_MAX_WINDOW][MOTION_VALUES]; /* a ring of window_samples */
  uint16_t next;
  uint16_t held;
  uint32_t quiet;
  bool collecting;
} MotionWindow;

/* False if the settings are invalid. */
bool motion_window_reset(MotionWindow* window, const MotionWindowConfig* config);

/* Takes a sample; returns whether the window that ends with it is to be classified. */
bool motion_window_push(MotionWindow* window, const int16_t sample[MOTION_VALUES]);

/* The model's input, int8 [window_samples][MOTION_VALUES], of the window that ends with the last sample. */
void motion_window_input(const MotionWindow* window, int8_t* input);

/* The window was a gesture: nothing is classified for a while. */
void motion_window_accept(MotionWindow* window);

#ifdef __cplusplus
}
#endif

#endif /* MOTION_WINDOW_H_ */
