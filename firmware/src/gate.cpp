#include "tinyml_build.h"

#if defined(TINYML_APP_CASCADE)

#include <string.h>

#include "gate.h"
#include "score_scale.h"

namespace {

constexpr LookerConfig kConfig = {
    TINYML_SECOND_MODEL,
    SECOND_SEEN_EVENT,
    second_kLabels,
    second_kLabelColors,
    {SECOND_FRAME_WIDTH, SECOND_FRAME_HEIGHT, SECOND_FRAME_FORMAT, SECOND_IMAGE_SIZE, SECOND_IMAGE_CHANNELS,
     SECOND_IMAGE_MULTIPLIER, SECOND_IMAGE_OFFSET, SECOND_IMAGE_SHIFT},
    {SECOND_LABEL_COUNT, SECOND_PRESENCE_BACKGROUND, SECOND_PRESENCE_ON_PERMILLE,
     SECOND_PRESENCE_OFF_PERMILLE, SECOND_PRESENCE_FRAMES_ON, SECOND_PRESENCE_FRAMES_OFF,
     SECOND_OUTPUT_ZERO_POINT, permille_per_step_q16(SECOND_OUTPUT_SCALE)},
};

}  // namespace

void Gate::begin() {
  looker_.begin(kConfig, frame_, sizeof(frame_), &session_);
}

void Gate::reset() {
  looker_.reset();
  is_open_ = false;
}

void Gate::hear(const char* label, uint32_t now_ms) {
  if (strcmp(label, TINYML_GATE_LABEL) != 0) {
    return;
  }
  if (!is_open_) {
    looker_.reset();
    is_open_ = true;
    report(now_ms);
  }
  since_ms_ = now_ms;
}

void Gate::update(uint32_t now_ms) {
  if (is_open_ && now_ms - since_ms_ >= TINYML_GATE_HOLD_MS) {
    close(now_ms);
  }
}

void Gate::watch(uint32_t now_ms) {
  if (is_open_ && looker_.read_camera(&session_.hal())) {
    look(now_ms);
  }
}

Reject Gate::accept(const Command& command, uint32_t now_ms) {
  bool complete = false;
  const Reject reject = looker_.accept(command, &complete);
  if (complete && is_open_) {
    look(now_ms);
  }
  return reject;
}

void Gate::look(uint32_t now_ms) {
  if (!session_.inference().ready()) {
    return;
  }
  Engine& engine = session_.inference().engine();
  looker_.make_input(&session_, engine.second_input());
  if (!session_.infer_second()) {
    return;
  }
  looker_.judge(&session_, engine.second_output());
  if (looker_.is_present()) {
    light_.keep();  // somebody is there
    close(now_ms);
  }
}

void Gate::close(uint32_t now_ms) {
  is_open_ = false;
  report(now_ms);
}

void Gate::report(uint32_t now_ms) {
  session_.event()
      .begin("gate")
      .flag("open", is_open_)
      .text("label", TINYML_GATE_LABEL)
      .number("t_ms", now_ms)
      .end();
}

#endif  // TINYML_APP_CASCADE
