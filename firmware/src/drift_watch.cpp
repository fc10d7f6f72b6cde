#include "drift_watch.h"

#if defined(DRIFT_SIGNALS)

namespace {

constexpr int32_t kUnit = 256;  // of a mean and a score: 1/256 of an int8 step
constexpr size_t kScore = 0, kInput = 1;
const char* const kSignalNames[DRIFT_SIGNALS] = {"score", "input"};
const char* const kPaceNames[PAGE_PACES] = {"sudden", "slow"};

static_assert(sizeof(PageConfig) == sizeof(int32_t) * DRIFT_NUMBERS, "a row of kDriftTests is one");
static_assert(DRIFT_SIGNALS == 2, "a score and an input");

PageConfig config_of(size_t signal) {
  const int32_t* row = kDriftTests[signal];
  return PageConfig{row[0], {{row[1], row[2]}, {row[3], row[4]}}};
}

}  // namespace

void DriftWatch::see(const int8_t* input, size_t bytes) {
  int32_t sum = 0;  // of at most 16 million values
  for (size_t i = 0; i < bytes; ++i) {
    sum += input[i];
  }
  const int64_t scaled = static_cast<int64_t>(sum) * kUnit;
  const int64_t count = static_cast<int64_t>(bytes);
  input_ = count == 0 ? 0 : static_cast<int32_t>(scaled / count - (scaled % count < 0 ? 1 : 0));
}

void DriftWatch::judge_labels(const int8_t* scores, size_t count, TextSink sink) {
  int8_t best = INT8_MIN;
  for (size_t i = 0; i < count; ++i) {
    best = scores[i] > best ? scores[i] : best;
  }
  judge(best * kUnit, sink);
}

void DriftWatch::judge(int32_t score, TextSink sink) {
  ++inferences_;
  push(kScore, score, sink);
  push(kInput, input_, sink);
}

void DriftWatch::push(size_t signal, int32_t value, TextSink sink) {
  const PageConfig config = config_of(signal);
  if (page_test_push(&tests_[signal], &config, DRIFT_BLOCK_INFERENCES, value)) {
    report(signal, sink);
  }
}

void DriftWatch::report(size_t signal, TextSink sink) const {
  const PageTest& test = tests_[signal];
  TextLine line(sink);
  line.text("Drift of the ").text(kSignalNames[signal]);
  if (test.drifting) {
    line.text(test.is_above ? ": higher than in normal running" : ": lower than in normal running");
  } else {
    line.text(" is over");
  }
  line.text(" after ").number(inferences_).text(" inferences\n").flush();
  JsonLine(sink)
      .begin("drift")
      .text("signal", kSignalNames[signal])
      .flag("drifting", test.drifting)
      .text("direction", test.is_above ? "up" : "down")
      .text("pace", kPaceNames[test.pace])
      .number("inferences", inferences_)
      .signed_number("mean", test.mean)
      .signed_number("reference", kDriftTests[signal][0])
      .end();
}

#endif  // DRIFT_SIGNALS
