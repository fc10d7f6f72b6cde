#ifndef INTEGER_ROOT_H_
#define INTEGER_ROOT_H_

#include <stdint.h>

/* The square root, rounded down, digit by digit. */
static inline uint32_t integer_root(uint64_t value) {
  uint64_t root = 0;
  for (uint64_t bit = (uint64_t)1 << 62; bit != 0; bit >>= 2) {
    if (value >= root + bit) {
      value -= root + bit;
      root = (root >> 1) + bit;
    } else {
      root >>= 1;
    }
  }
  return (uint32_t)root;
}

#endif /* INTEGER_ROOT_H_ */
