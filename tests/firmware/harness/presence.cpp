// stdin: labels background on off frames_on frames_off zero_point permille_per_step_q16, then rows of scores.
// stdout: "refused", or for each row: changed label score.
#include <stdio.h>

#include "presence.h"

int main() {
  unsigned labels, background, on, off, frames_on, frames_off, step;
  int zero_point;
  if (scanf("%u %u %u %u %u %u %d %u", &labels, &background, &on, &off, &frames_on, &frames_off, &zero_point,
            &step) != 8) {
    return 1;
  }
  Presence presence;
  if (!presence.begin({labels, background, static_cast<uint16_t>(on), static_cast<uint16_t>(off),
                       static_cast<uint8_t>(frames_on), static_cast<uint8_t>(frames_off), zero_point,
                       step})) {
    puts("refused");
    return 0;
  }
  int8_t scores[16];
  for (;;) {
    for (unsigned i = 0; i < labels; ++i) {
      int score;
      if (scanf("%d", &score) != 1) {
        return 0;
      }
      scores[i] = static_cast<int8_t>(score);
    }
    const bool changed = presence.push(scores);
    printf("%d %u %u\n", changed, static_cast<unsigned>(presence.label()), presence.score_permille());
  }
}
