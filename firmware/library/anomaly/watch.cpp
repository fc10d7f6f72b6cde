// Sensor -> window -> model -> score -> alarm, as firmware/src/anomaly.cpp does it.
#include <string.h>

#include "anomaly_alarm.h"
#include "anomaly_score.h"
#include "anomaly_window.h"
#include "library_model.h"

namespace {

constexpr AnomalyAlarmConfig kAlarm = {ALARM_RAISE_WINDOWS, ALARM_CLEAR_WINDOWS, ALARM_HOLD_WINDOWS,
                                       ALARM_RELEASE_PERMILLE};

static_assert(takes(AnomalyWindow::kInputs), "the model takes windows of another size");

AnomalyWindow window;
AnomalyAlarm alarm_state;

uint32_t score_of(const int8_t* output) {
#if defined(MIXTURE_CLUSTERS)
  constexpr AnomalyMixture mixture = {
      MIXTURE_CLUSTERS,       MIXTURE_DIMENSIONS,     MIXTURE_SHIFT,
      &kMixtureCenters[0][0], &kMixtureWeights[0][0], kMixtureConstants,
  };
  return anomaly_mixture_score(output, &mixture);
#else
  return anomaly_reconstruction_score(window.input(), output, AnomalyWindow::kInputs, INPUT_ZERO_POINT,
                                      OUTPUT_ZERO_POINT, RECONSTRUCTION_RATIO_Q16);
#endif
}

uint32_t permille(uint32_t score) {
  const uint64_t threshold = TRAINED_THRESHOLD > 0 ? TRAINED_THRESHOLD : 1;
  const uint64_t share = score * 1000ull / threshold;
  return static_cast<uint32_t>(share < UINT32_MAX ? share : UINT32_MAX);
}

int judge() {
  memcpy(tinyml_input(nullptr), window.input(), AnomalyWindow::kInputs);
  if (!tinyml_invoke()) {
    return TINYML_NOTHING;
  }
  const uint32_t score = score_of(tinyml_output(nullptr));
  set_score(permille(score));
  return anomaly_alarm_push(&alarm_state, &kAlarm, score, TRAINED_THRESHOLD) ? alarm_state.on
                                                                             : TINYML_NOTHING;
}

}  // namespace

bool tinyml_begin() {
  restart_model();
  alarm_state = AnomalyAlarm{};
  if (!window.begin()) {
    return false;
  }
  window.reset();
  return true;
}

int tinyml_watch(const int16_t* values, size_t count) {
  int changed = TINYML_NOTHING;
  while (count > 0) {
    bool complete = false;
    const size_t consumed = window.push(values, count, &complete);
    values += consumed;
    count -= consumed;
    const int now = complete ? judge() : TINYML_NOTHING;
    changed = now != TINYML_NOTHING ? now : changed;
  }
  return changed;
}
