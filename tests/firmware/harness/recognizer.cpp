// Standard input: "labels first_word window_ms suppression_ms minimum zero_point permille_per_step_q16
// prefix_wait_ms", the thresholds, for each label the bits of its longer words, then one line "time_ms
// score..." per inference. Prints "label permille time_ms" per detection.
#include <inttypes.h>
#include <stdio.h>

#include "recognizer.h"

int main() {
  RecognizerConfig config = {};
  uint16_t thresholds[64];
  uint32_t longer_words[64];
  if (scanf("%zu %zu %" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNd32 " %" SCNu32 " %" SCNu32, &config.labels,
            &config.first_word, &config.average_window_ms, &config.suppression_ms, &config.minimum_count,
            &config.score_zero_point, &config.permille_per_step_q16, &config.prefix_wait_ms) != 8) {
    return 2;
  }
  for (size_t label = 0; label < config.labels && label < 64; ++label) {
    if (scanf("%" SCNu16, &thresholds[label]) != 1) {
      return 2;
    }
  }
  for (size_t label = 0; label < config.labels && label < 64; ++label) {
    if (scanf("%" SCNu32, &longer_words[label]) != 1) {
      return 2;
    }
  }
  config.thresholds_permille = thresholds;
  config.longer_words = longer_words;
  static Recognizer recognizer;
  if (!recognizer.begin(config)) {
    printf("refused\n");
    return 0;
  }
  uint32_t time_ms = 0;
  while (scanf("%" SCNu32, &time_ms) == 1) {
    int8_t scores[64];
    for (size_t label = 0; label < config.labels; ++label) {
      int score = 0;
      if (scanf("%d", &score) != 1) {
        return 2;
      }
      scores[label] = static_cast<int8_t>(score);
    }
    Detection detection;
    if (recognizer.push(time_ms, scores, &detection)) {
      printf("%zu %" PRIu32 " %" PRIu32 "\n", detection.label, detection.score_permille, detection.time_ms);
    }
  }
  return 0;
}
