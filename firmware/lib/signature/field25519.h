/* Integers modulo p = 2^255 - 19, as eight words, the lowest first. Any value below 2^256 stands for itself
 * modulo p; only field_bytes() and what compares by it reduce it. Results may lie over operands. */
#ifndef TINYML_FIELD25519_H
#define TINYML_FIELD25519_H

#include <stdbool.h>
#include <stdint.h>

enum { FIELD_WORDS = 8, FIELD_BYTES = 32 };

typedef struct {
  uint32_t word[FIELD_WORDS];
} field;

void field_add(field* result, const field* a, const field* b);
void field_subtract(field* result, const field* a, const field* b);
void field_multiply(field* result, const field* a, const field* b);

/* a^((p - 5) / 8) and a^(p - 2), the inverse. */
void field_root_power(field* result, const field* a);
void field_invert(field* result, const field* a);

/* The number below p, little endian, and back: all 256 bits. */
void field_bytes(const field* a, uint8_t bytes[FIELD_BYTES]);
void field_load(field* result, const uint8_t bytes[FIELD_BYTES]);

bool field_equal(const field* a, const field* b);
bool field_is_odd(const field* a);

#endif /* TINYML_FIELD25519_H */
