#include "tinyml_build.h"

#if defined(TINYML_APP_HELLO)

#include "curve_light.h"
#include "hello.h"

namespace {

constexpr uint32_t kMostPoints = 1000;
// For so long a color that the host asks for stays before the curve's light returns.
constexpr uint32_t kColorMs = 1000;

}  // namespace

void HelloApp::setup(Hal& hal) {
  session_.begin(hal);
  session_.check_model(1, 1);
  reset_curve();
  session_.send_ready();
}

void HelloApp::step() {
  const bool received = session_.serve([this](const Command& command) { return execute(command); });
  if (is_due()) {
    show_point();
  } else if (!received) {
    session_.hal().idle();
  }
}

void HelloApp::reset_curve() {
  host_.reset();
  point_ = 0;
  last_ms_ = session_.hal().clock_ms();
}

Reject HelloApp::execute(const Command& command) {
  switch (command.verb) {
    case Verb::kReset:
      reset_curve();
      return Reject::kNone;
    case Verb::kAdvance:
      if (command.count == 0 || command.count > kMostPoints) {
        return Reject::kRange;
      }
      if (host_.take(command)) {
        for (uint32_t i = 0; i < command.count; ++i) {
          show_point();
        }
      }
      return Reject::kNone;
    case Verb::kLed:
      color_ms_ = session_.hal().clock_ms();
      is_color_shown_ = true;
      session_.show(command.color, color_ms_);
      return Reject::kNone;
    default:
      return Reject::kCommand;
  }
}

// By the board's clock, unless the host advances the curve or has just written an input of its own.
bool HelloApp::is_due() {
  const uint32_t now_ms = session_.hal().clock_ms();
  is_color_shown_ = is_color_shown_ && now_ms - color_ms_ < kColorMs;
  if (session_.is_host_in_charge(host_) || now_ms - last_ms_ < CURVE_POINT_MS) {
    return false;
  }
  const bool is_late = now_ms - last_ms_ >= 2 * CURVE_POINT_MS;
  last_ms_ = is_late ? now_ms : last_ms_ + CURVE_POINT_MS;
  return true;
}

void HelloApp::show_point() {
  if (!session_.inference().ready()) {
    return;
  }
  Engine& engine = session_.inference().engine();
  const int8_t x = kCurveInputs[point_];
  *static_cast<int8_t*>(engine.input()) = x;
  if (!session_.infer()) {
    return;
  }
  const int8_t y = *static_cast<const int8_t*>(engine.output());
  const uint8_t light = curve_light(y);
  if (!is_color_shown_) {
    session_.hal().led(0, light, 0);
  }
  session_.event()
      .begin("wave")
      .number("t_ms", session_.hal().clock_ms())
      .number("point", point_)
      .signed_number("x", x)
      .signed_number("y", y)
      .number("light", light)
      .end();
  point_ = (point_ + 1) % CURVE_POINTS;
}

#endif  // TINYML_APP_HELLO
