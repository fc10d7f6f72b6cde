// Watches whether what the model is given, and what it makes of it, still looks as it did in normal running.
// An event `drift` says when that begins and ends. It compares two numbers of each inference: the mean of the
// input, and a score. Firmware whose manifest has no `drift_watch` watches nothing.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "json_line.h"
#include "model_settings.h"

#if defined(DRIFT_SIGNALS)
#include "page_test.h"

class DriftWatch {
 public:
  // The input, before the inference, which may overwrite it.
  void see(const int8_t* input, size_t bytes);

  // The scores of its labels, or one score in its units; an event if drift began or is over.
  void judge_labels(const int8_t* scores, size_t count, TextSink sink);
  void judge(int32_t score, TextSink sink);

 private:
  void push(size_t signal, int32_t value, TextSink sink);
  void report(size_t signal, TextSink sink) const;

  int32_t input_ = 0;
  uint32_t inferences_ = 0;
  PageTest tests_[DRIFT_SIGNALS] = {};
};

#else

class DriftWatch {
 public:
  void see(const int8_t*, size_t) {}
  void judge_labels(const int8_t*, size_t, TextSink) {}
  void judge(int32_t, TextSink) {}
};

#endif
