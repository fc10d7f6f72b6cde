/* Whether the mean of a stream of numbers has left its reference: Page's test (E. S. Page, "Continuous
 * inspection schemes", Biometrika 41, 1954; with a running maximum in place of the reset it is called
 * Page-Hinkley), on the means of blocks, upwards and downwards, at two paces: one test is fast at sudden
 * changes, the other sees slow ones. The evidence stays within 0 to `threshold`: it says when a drift is
 * over, too. */
#ifndef PAGE_TEST_H_
#define PAGE_TEST_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { PAGE_SUDDEN, PAGE_SLOW, PAGE_PACES };

/* Values further from 0 count as this far: no sum of a block overflows. */
#define PAGE_LARGEST_VALUE (1 << 18)
#define PAGE_MOST_BLOCK 4096
#define PAGE_LARGEST_THRESHOLD (1 << 30)

/* As it lies in a table of int32_t: no padding. */
typedef struct {
  int32_t reference; /* the mean in normal running */
  struct {
    int32_t delta;     /* how far the mean may be from it for nothing */
    int32_t threshold; /* of the evidence, at which it is drift */
  } pace[PAGE_PACES];
} PageConfig;

typedef struct {
  int32_t sum; /* of the block so far */
  uint32_t count;
  int32_t mean; /* of the last block */
  int32_t above[PAGE_PACES];
  int32_t below[PAGE_PACES];
  bool drifting;
  bool is_above; /* of the drift that goes on, or went on last: the mean is too high, */
  unsigned pace; /* and which test found it */
} PageTest;

/* Forgets everything. */
void page_test_reset(PageTest* test);

/* Takes one value; `block` (1 to PAGE_MOST_BLOCK) of them make a mean. True if drift began or is over. */
bool page_test_push(PageTest* test, const PageConfig* config, uint32_t block, int32_t value);

#ifdef __cplusplus
}
#endif

#endif
