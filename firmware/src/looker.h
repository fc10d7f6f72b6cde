// Everything of one image model: the frame being filled, the model's input made from it, and the meaning of
// its scores over frames.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "command.h"
#include "host_feed.h"
#include "image.h"
#include "presence.h"
#include "session.h"

struct LookerConfig {
  const char* model;  // its name; nullptr: it is the only one on the board
  const char* event;  // that reports a change: "person", or "class"
  const char* const* labels;
  const uint8_t (*colors)[3];  // one per label
  ImageConfig image;
  PresenceConfig presence;
};

class Looker {
 public:
  // Starts the camera. `frame` is memory for one frame; it and everything that `config` points to must
  // outlive the looker. Invalid settings, or a frame of another size, are a `fault` event, and no model runs.
  void begin(const LookerConfig& config, uint8_t* frame, size_t frame_bytes, Session* session);

  // Forgets frames and presence.
  void reset();

  // Takes a piece of a frame from the host. `*complete` says whether the frame is now complete.
  Reject accept(const Command& command, bool* complete);

  // Waits for a frame of the camera. False if there is none, or if the host has sent frames since reset().
  bool read_camera(Hal* hal);

  // Makes the model's input, and reports it if `trace features` asks for it.
  void make_input(Session* session, int8_t* input);

  // Takes the scores of one inference; reports the frame, and a change of presence.
  void judge(Session* session, const int8_t* scores);

  bool is_present() const { return presence_.is_present(); }
  size_t input_bytes() const;

 private:
  void report_change(Session* session, uint32_t now_ms);

  LookerConfig config_ = {};
  Presence presence_;
  uint8_t* frame_ = nullptr;
  size_t frame_bytes_ = 0;
  bool has_camera_ = false;
  HostFeed host_;
  uint32_t frames_ = 0;  // looked at since the last reset
  uint32_t scaling_us_ = 0;
};
