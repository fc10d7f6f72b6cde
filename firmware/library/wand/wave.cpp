// Motion -> stroke or window -> model -> gestures, as firmware/src/wand.cpp does it.
#include "library_model.h"
#include "motion_window.h"
#include "score_scale.h"
#include "wand_stroke.h"

namespace {

#if defined(WAND_STROKE)

static_assert(takes(RASTER_SIZE * RASTER_SIZE * RASTER_CHANNELS), "the model takes pictures of another size");

WandStroke stroke;
RasterPoint points[RASTER_MAX_POINTS];
uint8_t picture[RASTER_SIZE][RASTER_SIZE][RASTER_CHANNELS];

bool restart() {
  wand_stroke_reset(&stroke, SAMPLE_RATE_MILLIHZ);
  return true;
}

bool make_input(const int16_t* sample) {
  if (wand_stroke_push(&stroke, sample) != WAND_DONE) {
    return false;
  }
  const size_t count = wand_stroke_points(&stroke, points);
  if (count == 0) {
    return false;
  }
#if WAND_ROTATION_INVARIANT
  wand_stroke_turn(points, count);
#endif
  raster_draw(points, count, picture);
  raster_to_input(picture, PIXEL_MULTIPLIER, PIXEL_OFFSET, PIXEL_SHIFT, tinyml_input(nullptr));
  return true;
}

void accept() {}

#else

constexpr MotionWindowConfig kWindow = {
    MOTION_WINDOW_SAMPLES, MOTION_STRIDE_SAMPLES, MOTION_START_MG,  MOTION_SUPPRESSION_SAMPLES,
    MOTION_MULTIPLIERS,    MOTION_SHIFT,          INPUT_ZERO_POINT,
};

static_assert(takes(MOTION_WINDOW_SAMPLES* MOTION_VALUES), "the model takes windows of another size");

MotionWindow window;

bool restart() {
  return motion_window_reset(&window, &kWindow);
}

bool make_input(const int16_t* sample) {
  if (!motion_window_push(&window, sample)) {
    return false;
  }
  motion_window_input(&window, tinyml_input(nullptr));
  return true;
}

void accept() {
  motion_window_accept(&window);
}

#endif

}  // namespace

bool tinyml_begin() {
  restart_model();
  return restart();
}

int tinyml_move(const int16_t sample[6]) {
  if (!make_input(sample) || !tinyml_invoke()) {
    return TINYML_NOTHING;
  }
  const int8_t* scores = tinyml_output(nullptr);
  int best = 0;
  for (int i = 1; i < LABEL_COUNT; ++i) {
    best = scores[i] > scores[best] ? i : best;
  }
  // Label 0 is a motion that is not a gesture.
  if (best == 0 || scores[best] < GESTURE_THRESHOLD_Q) {
    return TINYML_NOTHING;
  }
  accept();
  constexpr uint64_t kPermilleQ16 = permille_per_step_q16(OUTPUT_SCALE);
  const uint64_t steps = static_cast<uint64_t>(scores[best] - OUTPUT_ZERO_POINT);
  set_score(static_cast<uint32_t>((steps * kPermilleQ16 + (1u << 15)) >> 16));
  return best;
}
