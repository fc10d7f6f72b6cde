#include "tinyml_build.h"

#if defined(TINYML_APP_VWW) || defined(TINYML_APP_CASCADE)

#include <string.h>

#include "looker.h"

void Looker::begin(const LookerConfig& config, uint8_t* frame, size_t frame_bytes, Session* session) {
  config_ = config;
  frame_ = frame;
  frame_bytes_ = frame_bytes;
  const bool possible = image_config_ok(&config_.image) && image_frame_bytes(&config_.image) == frame_bytes &&
                        presence_.begin(config_.presence);
  const bool is_colour = config_.image.format == IMAGE_RGB565;
  has_camera_ = possible &&
                session->hal().camera_begin(config_.image.frame_width, config_.image.frame_height, is_colour);
  reset();
  if (!possible) {
    session->refuse("the image or presence settings are impossible");
  }
}

void Looker::reset() {
  presence_.reset();
  host_.reset();
  frames_ = 0;
}

Reject Looker::accept(const Command& command, bool* complete) {
  *complete = false;
  if (command.offset > frame_bytes_ || command.bytes > frame_bytes_ - command.offset) {
    return Reject::kRange;
  }
  if (!host_.is_active() && frames_ > 0) {  // nothing of what the camera saw
    reset();
  }
  if (host_.take(command)) {
    memcpy(frame_ + command.offset, command.data, command.bytes);
    *complete = command.offset + command.bytes == frame_bytes_;
  }
  return Reject::kNone;
}

bool Looker::read_camera(Hal* hal) {
  return has_camera_ && !host_.is_active() && hal->camera_read(frame_, frame_bytes_);
}

size_t Looker::input_bytes() const {
  return static_cast<size_t>(config_.image.size) * config_.image.size * config_.image.channels;
}

void Looker::make_input(Session* session, int8_t* input) {
  const uint64_t start_us = session->hal().clock_us();
  image_to_input(&config_.image, frame_, input);
  scaling_us_ = static_cast<uint32_t>(session->hal().clock_us() - start_us);
  if (session->traces(kTraceFeatures)) {
    session->event().begin("input").number("frame", frames_ + 1).hex("data", input, input_bytes()).end();
  }
}

void Looker::judge(Session* session, const int8_t* scores) {
  const uint32_t now_ms = session->hal().clock_ms();
  const uint32_t inference_us = session->inference().microseconds();
  ++frames_;
  session->event()
      .begin("image")
      .number("frame", frames_)
      .number("t_ms", now_ms)
      .number("frame_us", scaling_us_ + inference_us)
      .number("inference_us", inference_us)
      .numbers("q", scores, config_.presence.labels)
      .end();
  if (presence_.push(scores)) {
    report_change(session, now_ms);
  }
}

void Looker::report_change(Session* session, uint32_t now_ms) {
  const size_t seen = presence_.label();
  const bool is_label = seen < config_.presence.labels;
  const char* label = is_label ? config_.labels[seen] : nullptr;
  session->tell("Sees ", is_label ? label : "nothing for sure", presence_.score_permille(), now_ms,
                config_.model);
  session->event()
      .begin(config_.event)
      .optional_text("label", label)
      .flag("present", presence_.is_present())
      .permille("score", presence_.score_permille())
      .number("frame", frames_)
      .number("t_ms", now_ms)
      .optional_text("model", config_.model)
      .end();
  session->show(is_label ? config_.colors[seen] : kLightOff, now_ms);
}

#endif  // TINYML_APP_VWW || TINYML_APP_CASCADE
