#include "tinyml_build.h"

#if defined(TINYML_APP_WAND)

#include <string.h>

#include "score_scale.h"
#include "wand.h"

namespace {

constexpr uint64_t kMillisecondsPerMillihertz = 1000000;

#if defined(WAND_STROKE)
constexpr size_t kInputs = RASTER_SIZE * RASTER_SIZE * RASTER_CHANNELS;
static_assert(ATTITUDE_SAMPLE_VALUES == kImuValues, "the host sends whole samples");
constexpr int32_t kWaiting = 0, kDrawing = 1, kDone = 2;  // of the stroke service
#else
constexpr size_t kInputs = MOTION_WINDOW_SAMPLES * MOTION_VALUES;
static_assert(MOTION_VALUES == kImuValues, "the host sends whole samples");
#endif

}  // namespace

void WandApp::setup(Hal& hal) {
  session_.begin(hal);
  session_.check_model(kInputs, LABEL_COUNT);
  ready_ = begin_input();
  if (!ready_) {
    session_.fault("the windows do not have the size that model_settings.h says");
  }
  reset_stream();
  session_.send_ready();
}

void WandApp::step() {
  const bool received = session_.serve([this](const Command& command) { return execute(command); });
  int16_t sample[MotionSensor::kValues];
  const bool felt = ready_ && !session_.is_host_in_charge(host_) &&
                    sensor_.read(session_.hal(), SAMPLE_RATE_MILLIHZ, sample);
  if (felt) {
    push(sample);
  } else if (!received) {
    session_.hal().idle();
  }
}

Reject WandApp::execute(const Command& command) {
  switch (command.verb) {
    case Verb::kReset:
      reset_stream();
      return Reject::kNone;
    case Verb::kImu:
      return accept_samples(command);
    case Verb::kLed:
      light_.set(command.color, stream_ms());
      return Reject::kNone;
    default:
      return Reject::kCommand;
  }
}

void WandApp::reset_stream() {
  begin_input();
  sensor_.start(session_.hal());
  host_.reset();
  samples_ = 0;
  inputs_ = 0;
  light_.put_out(stream_ms());
}

Reject WandApp::accept_samples(const Command& command) {
  if (!ready_) {
    return Reject::kCommand;
  }
  if (!host_.is_active() && samples_ > 0) {  // the host's stream begins with what the host sends
    reset_stream();
  }
  if (!host_.take(command)) {
    return Reject::kNone;
  }
  for (size_t i = 0; i + kImuValues <= command.sample_count(); i += kImuValues) {
    push(command.samples() + i);
  }
  return Reject::kNone;
}

#if defined(WAND_STROKE)

bool WandApp::begin_input() {
  wand_stroke_reset(&stroke_, SAMPLE_RATE_MILLIHZ);
  return true;
}

void WandApp::push(const int16_t* sample) {
  ++samples_;
  light_.update(stream_ms());
  const WandEvent event = wand_stroke_push(&stroke_, sample);
  if (event == WAND_STARTED || event == WAND_TOO_LONG) {
    session_.hal().stroke_show(event == WAND_STARTED ? kDrawing : kWaiting, nullptr, 0);
  }
  if (event == WAND_DONE && make_input()) {
    judge();
  }
}

bool WandApp::make_input() {
  const size_t count = wand_stroke_points(&stroke_, points_);
  if (count == 0) {
    session_.hal().stroke_show(kWaiting, nullptr, 0);
    return false;
  }
  report_stroke(count);
#if WAND_ROTATION_INVARIANT
  wand_stroke_turn(points_, count);
#endif
  raster_draw(points_, count, picture_);
  draw_stroke();
  if (!session_.inference().ready()) {
    return false;
  }
  raster_to_input(picture_, PIXEL_MULTIPLIER, PIXEL_OFFSET, PIXEL_SHIFT,
                  session_.inference().engine().input());
  return true;
}

void WandApp::report_stroke(size_t count) {
  static_assert(sizeof(RasterPoint) == 2, "points are sent as they lie in memory");
  session_.event()
      .begin("stroke")
      .number("t_ms", stream_ms())
      .base64("points", points_, count * sizeof(RasterPoint))
      .end();
  session_.hal().stroke_show(kDone, reinterpret_cast<const int8_t*>(points_), count);
}

// Two rows of the picture in one line of text, whose characters are twice as high as wide. The start of
// the stroke is drawn with 'o', its middle with '+', its end with '*'.
void WandApp::draw_stroke() {
  for (size_t row = 0; row < RASTER_SIZE; row += 2) {
    TextLine line(session_.sink());
    for (size_t column = 0; column < RASTER_SIZE; ++column) {
      const uint8_t* upper = picture_[row][column];
      const uint8_t* lower = picture_[row + 1][column];
      const uint8_t* pixel = (upper[0] | upper[1] | upper[2]) != 0 ? upper : lower;
      const bool drawn = (pixel[0] | pixel[1] | pixel[2]) != 0;
      line.put(!drawn ? '.' : pixel[0] > pixel[1] ? 'o' : pixel[2] > pixel[1] ? '*' : '+');
    }
    line.put('\n').flush();
  }
}

#else

bool WandApp::begin_input() {
  MODEL_CONSTANT MotionWindowConfig config = {
      MOTION_WINDOW_SAMPLES, MOTION_STRIDE_SAMPLES, MOTION_START_MG,  MOTION_SUPPRESSION_SAMPLES,
      MOTION_MULTIPLIERS,    MOTION_SHIFT,          INPUT_ZERO_POINT,
  };
  return motion_window_reset(&window_, &config);
}

void WandApp::push(const int16_t* sample) {
  ++samples_;
  light_.update(stream_ms());
  if (motion_window_push(&window_, sample) && make_input()) {
    judge();
  }
}

bool WandApp::make_input() {
  if (!session_.inference().ready()) {
    return false;
  }
  motion_window_input(&window_, static_cast<int8_t*>(session_.inference().engine().input()));
  return true;
}

#endif  // WAND_STROKE

void WandApp::judge() {
  Engine& engine = session_.inference().engine();
  ++inputs_;
  if (session_.traces(kTraceFeatures)) {
    session_.event().begin("input").number("frame", inputs_).hex("data", engine.input(), kInputs).end();
  }
  if (!session_.infer()) {
    return;
  }
  const int8_t* scores = static_cast<const int8_t*>(engine.output());
  if (session_.traces(kTraceScores)) {
    session_.event().begin("scores").number("t_ms", stream_ms()).numbers("q", scores, LABEL_COUNT).end();
  }
  size_t best = 0;
  for (size_t i = 1; i < LABEL_COUNT; ++i) {
    best = scores[i] > scores[best] ? i : best;
  }
  report(best, scores[best], best != 0 && scores[best] >= GESTURE_THRESHOLD_Q);
}

// A motion that is not a gesture is label 0.
void WandApp::report(size_t best, int8_t score, bool accepted) {
  MODEL_CONSTANT uint32_t permille_q16 = permille_per_step_q16(OUTPUT_SCALE);
  const uint32_t permille = static_cast<uint32_t>(
      (static_cast<uint64_t>(score - OUTPUT_ZERO_POINT) * permille_q16 + (1u << 15)) >> 16);
  const uint32_t now_ms = stream_ms();
  const size_t label = accepted ? best : 0;
#if !defined(WAND_STROKE)
  if (accepted) {
    motion_window_accept(&window_);
  }
#endif
  if (accepted) {
    session_.tell("Recognised ", kLabels[label], permille, now_ms);
  }
  session_.event()
      .begin("gesture")
      .text("label", kLabels[label])
      .permille("score", permille)
      .text("best", kLabels[best])
      .number("t_ms", now_ms)
      .number("inference_us", session_.inference().microseconds())
      .end();
  if (accepted) {
    light_.flash(kLabelColors[label], now_ms);
  }
}

uint32_t WandApp::stream_ms() const {
  return static_cast<uint32_t>(samples_ * kMillisecondsPerMillihertz / SAMPLE_RATE_MILLIHZ);
}

#endif  // TINYML_APP_WAND
