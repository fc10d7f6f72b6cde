#include "field25519.h"

#include <string.h>

/* 2^256 modulo p. */
#define FOLD 38u

/* Adds `carry` * 2^256 modulo p. */
static void fold(field* a, uint32_t carry) {
  while (carry != 0) {
    uint64_t sum = (uint64_t)carry * FOLD;
    for (int i = 0; i < FIELD_WORDS; ++i) {
      sum += a->word[i];
      a->word[i] = (uint32_t)sum;
      sum >>= 32;
    }
    carry = (uint32_t)sum;
  }
}

void field_add(field* result, const field* a, const field* b) {
  uint64_t sum = 0;
  for (int i = 0; i < FIELD_WORDS; ++i) {
    sum += (uint64_t)a->word[i] + b->word[i];
    result->word[i] = (uint32_t)sum;
    sum >>= 32;
  }
  fold(result, (uint32_t)sum);
}

/* Subtracts a small number; returns what had to be borrowed. */
static uint32_t subtract_small(field* a, uint32_t number) {
  uint32_t borrow = number;
  for (int i = 0; i < FIELD_WORDS; ++i) {
    const uint32_t before = a->word[i];
    a->word[i] = before - borrow;
    borrow = before < borrow;
  }
  return borrow;
}

void field_subtract(field* result, const field* a, const field* b) {
  uint32_t borrow = 0;
  for (int i = 0; i < FIELD_WORDS; ++i) {
    const uint64_t taken = (uint64_t)b->word[i] + borrow;
    borrow = a->word[i] < taken;
    result->word[i] = (uint32_t)(a->word[i] - taken);
  }
  while (borrow != 0) {
    borrow = subtract_small(result, FOLD);
  }
}

void field_multiply(field* result, const field* a, const field* b) {
  uint32_t product[2 * FIELD_WORDS] = {0};
  for (int i = 0; i < FIELD_WORDS; ++i) {
    uint64_t sum = 0;
    for (int j = 0; j < FIELD_WORDS; ++j) {
      sum += (uint64_t)a->word[i] * b->word[j] + product[i + j];
      product[i + j] = (uint32_t)sum;
      sum >>= 32;
    }
    product[i + FIELD_WORDS] = (uint32_t)sum;
  }
  uint64_t sum = 0;
  for (int i = 0; i < FIELD_WORDS; ++i) {
    sum += (uint64_t)product[i + FIELD_WORDS] * FOLD + product[i];
    result->word[i] = (uint32_t)sum;
    sum >>= 32;
  }
  fold(result, (uint32_t)sum);
}

static void square_often(field* a, int times) {
  for (int i = 0; i < times; ++i) {
    field_multiply(a, a, a);
  }
}

/* a^(2^count - 1) from a^(2^(count / 2) - 1), for an even count. */
static void double_ones(field* power, int count) {
  const field half = *power;
  square_often(power, count / 2);
  field_multiply(power, power, &half);
}

/* a^(2^250 - 1): 250 = 2 * 125, 125 = 5 * 25. */
static void ones_250(field* result, const field* a) {
  field five = *a, power;
  for (int i = 0; i < 4; ++i) {
    square_often(&five, 1);
    field_multiply(&five, &five, a);
  }
  power = five;
  for (int i = 0; i < 4; ++i) {
    square_often(&power, 5);
    field_multiply(&power, &power, &five);
  }
  const field twenty_five = power;
  for (int i = 0; i < 4; ++i) {
    square_often(&power, 25);
    field_multiply(&power, &power, &twenty_five);
  }
  double_ones(&power, 250);
  *result = power;
}

/* (p - 5) / 8 = 2^252 - 3 = 4 * (2^250 - 1) + 1 */
void field_root_power(field* result, const field* a) {
  field power;
  ones_250(&power, a);
  square_often(&power, 2);
  field_multiply(result, &power, a);
}

/* p - 2 = 2^255 - 21 = 32 * (2^250 - 1) + 11 */
void field_invert(field* result, const field* a) {
  field power, eleventh = *a;
  ones_250(&power, a);
  square_often(&power, 5);
  square_often(&eleventh, 2);
  field_multiply(&eleventh, &eleventh, a);
  square_often(&eleventh, 1);
  field_multiply(&eleventh, &eleventh, a);
  field_multiply(result, &power, &eleventh);
}

/* The value below p: a + 19 reaches 2^255 exactly where a >= p; then bit 255 goes, and 19 stays added. */
static void reduce(field* a) {
  for (int round = 0; round < 2; ++round) {
    field plus = *a;
    uint64_t sum = 19;
    for (int i = 0; i < FIELD_WORDS; ++i) {
      sum += plus.word[i];
      plus.word[i] = (uint32_t)sum;
      sum >>= 32;
    }
    if (sum == 0 && plus.word[FIELD_WORDS - 1] >> 31 == 0) {
      return;
    }
    if (sum != 0) { /* a + 19 >= 2^256: take 2^256 - 38 away */
      field_add(a, &plus, &(field){{19}});
    } else {
      plus.word[FIELD_WORDS - 1] &= 0x7FFFFFFFu;
      *a = plus;
    }
  }
}

void field_bytes(const field* a, uint8_t bytes[FIELD_BYTES]) {
  field whole = *a;
  reduce(&whole);
  for (int i = 0; i < FIELD_BYTES; ++i) {
    bytes[i] = (uint8_t)(whole.word[i / 4] >> (8 * (i % 4)));
  }
}

void field_load(field* result, const uint8_t bytes[FIELD_BYTES]) {
  memset(result, 0, sizeof(*result));
  for (int i = 0; i < FIELD_BYTES; ++i) {
    result->word[i / 4] |= (uint32_t)bytes[i] << (8 * (i % 4));
  }
}

bool field_equal(const field* a, const field* b) {
  uint8_t left[FIELD_BYTES], right[FIELD_BYTES];
  field_bytes(a, left);
  field_bytes(b, right);
  return memcmp(left, right, FIELD_BYTES) == 0;
}

bool field_is_odd(const field* a) {
  uint8_t bytes[FIELD_BYTES];
  field_bytes(a, bytes);
  return (bytes[0] & 1) != 0;
}
