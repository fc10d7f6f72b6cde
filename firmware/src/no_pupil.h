// In place of Pupil, in applications that know the words they were built with.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "command.h"
#include "listener.h"
#include "session.h"

class NoPupil {
 public:
  explicit NoPupil(Session&) {}

  static constexpr size_t output_bytes(size_t labels) { return labels; }

  void begin(const ListenerConfig& config) { config_ = config; }
  void reset() {}
  const ListenerConfig& config() const { return config_; }
  bool take_change() { return false; }
  void add(const int8_t*) {}
  bool is_learning() const { return false; }
  bool next_window(int8_t*) { return false; }
  void learn(const int8_t*, uint32_t) {}
  const int8_t* scores(const int8_t* output) { return output; }
  Reject execute(const Command&) { return Reject::kCommand; }

 private:
  ListenerConfig config_ = {};
};
