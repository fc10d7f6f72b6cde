#include "page_test.h"

#include <string.h>

static int32_t clamp(int32_t value, int32_t low, int32_t high) {
  return value < low ? low : value > high ? high : value;
}

/* Rounded down, as Python divides. */
static int32_t mean_of(int32_t sum, int32_t count) {
  const int32_t quotient = sum / count;
  return quotient - (sum % count < 0 ? 1 : 0);
}

/* Adds a block's excess over the reference to the evidence; true at the threshold. */
static bool gather(int32_t* evidence, int32_t excess, int32_t delta, int32_t threshold) {
  *evidence = clamp(*evidence + (excess - delta), 0, threshold);
  return *evidence == threshold;
}

void page_test_reset(PageTest* test) {
  memset(test, 0, sizeof(*test));
}

/* Takes the mean of a block. Drift goes on until the evidence that it was found by is gone. */
static bool judge(PageTest* test, const PageConfig* config) {
  const int32_t excess = test->mean - config->reference;
  const bool before = test->drifting;
  const unsigned pace_before = test->pace;
  const bool above_before = test->is_above;
  test->drifting = false;
  for (unsigned pace = 0; pace < PAGE_PACES; ++pace) {
    const int32_t delta = config->pace[pace].delta;
    const int32_t threshold = config->pace[pace].threshold;
    const bool above = gather(&test->above[pace], excess, delta, threshold);
    const bool below = gather(&test->below[pace], -excess, delta, threshold);
    if ((above || below) && !test->drifting) {
      test->drifting = true;
      test->is_above = above;
      test->pace = pace;
    }
  }
  if (before && (above_before ? test->above : test->below)[pace_before] > 0) {
    test->drifting = true;
    test->is_above = above_before;
    test->pace = pace_before;
  }
  return test->drifting != before;
}

bool page_test_push(PageTest* test, const PageConfig* config, uint32_t block, int32_t value) {
  test->sum += clamp(value, -PAGE_LARGEST_VALUE, PAGE_LARGEST_VALUE);
  if (++test->count < block) {
    return false;
  }
  test->mean = mean_of(test->sum, (int32_t)test->count);
  test->sum = 0;
  test->count = 0;
  return judge(test, config);
}
