#include "ed25519.h"

#include <string.h>

#include "field25519.h"
#include "sha512.h"

enum { SCALAR_BITS = 256, SCALAR_WORDS = 8 };

/* x = X / Z, y = Y / Z, x y = T / Z on -x^2 + y^2 = 1 + d x^2 y^2. */
typedef struct {
  field x, y, z, t;
} point;

static const field kOne = {{1}};
static const field kD = {
    {0x135978a3u, 0x75eb4dcau, 0x4141d8abu, 0x00700a4du, 0x7779e898u, 0x8cc74079u, 0x2b6ffe73u, 0x52036ceeu}};
static const field kTwiceD = {
    {0x26b2f159u, 0xebd69b94u, 0x8283b156u, 0x00e0149au, 0xeef3d130u, 0x198e80f2u, 0x56dffce7u, 0x2406d9dcu}};
static const field kRootOfMinusOne = {
    {0x4a0ea0b0u, 0xc4ee1b27u, 0xad2fe478u, 0x2f431806u, 0x3dfbd7a7u, 0x2b4d0099u, 0x4fc1df0bu, 0x2b832480u}};
static const point kNeutral = {{{0}}, {{1}}, {{1}}, {{0}}};
static const point kBase = {{{0x8f25d51au, 0xc9562d60u, 0x9525a7b2u, 0x692cc760u, 0xfdd6dc5cu, 0xc0a4e231u,
                              0xcd6e53feu, 0x216936d3u}},
                            {{0x66666658u, 0x66666666u, 0x66666666u, 0x66666666u, 0x66666666u, 0x66666666u,
                              0x66666666u, 0x66666666u}},
                            {{1}},
                            {{0xa5b7dda3u, 0x6dde8ab3u, 0x775152f5u, 0x20f09f80u, 0x64abe37du, 0x66ea4e8eu,
                              0xd78b7665u, 0x67875f0fu}}};

/* The order of the base point. */
static const uint32_t kOrder[SCALAR_WORDS] = {0x5cf5d3edu, 0x5812631au, 0xa2f79cd6u, 0x14def9deu,
                                              0,           0,           0,           0x10000000u};

/* The last step of addition and doubling, RFC 8032 section 5.1.4. */
static void finish(point* sum, const field* e, const field* f, const field* g, const field* h) {
  field_multiply(&sum->x, e, f);
  field_multiply(&sum->y, g, h);
  field_multiply(&sum->z, f, g);
  field_multiply(&sum->t, e, h);
}

static void add(point* sum, const point* p, const point* q) {
  field a, b, c, d, e, f;
  field_subtract(&a, &p->y, &p->x);
  field_subtract(&e, &q->y, &q->x);
  field_multiply(&a, &a, &e);
  field_add(&b, &p->y, &p->x);
  field_add(&e, &q->y, &q->x);
  field_multiply(&b, &b, &e);
  field_multiply(&c, &p->t, &q->t);
  field_multiply(&c, &c, &kTwiceD);
  field_multiply(&d, &p->z, &q->z);
  field_add(&d, &d, &d);
  field_subtract(&e, &b, &a);
  field_subtract(&f, &d, &c);
  field_add(&d, &d, &c);
  field_add(&b, &b, &a);
  finish(sum, &e, &f, &d, &b);
}

static void twice(point* p) {
  field a, b, c, e, f, g, h;
  field_multiply(&a, &p->x, &p->x);
  field_multiply(&b, &p->y, &p->y);
  field_multiply(&c, &p->z, &p->z);
  field_add(&c, &c, &c);
  field_add(&h, &a, &b);
  field_add(&e, &p->x, &p->y);
  field_multiply(&e, &e, &e);
  field_subtract(&e, &h, &e);
  field_subtract(&g, &a, &b);
  field_add(&f, &c, &g);
  finish(p, &e, &f, &g, &h);
}

static void encode(const point* p, uint8_t bytes[FIELD_BYTES]) {
  field inverse, x, y;
  field_invert(&inverse, &p->z);
  field_multiply(&x, &p->x, &inverse);
  field_multiply(&y, &p->y, &inverse);
  field_bytes(&y, bytes);
  bytes[FIELD_BYTES - 1] |= (uint8_t)(field_is_odd(&x) << 7);
}

/* x of x^2 = u / v, RFC 8032 section 5.1.3; false where there is none. */
static bool root_of_ratio(field* x, const field* u, const field* v) {
  field power, check;
  field_multiply(&power, v, v);
  field_multiply(&power, &power, v); /* v^3 */
  field_multiply(x, u, &power);      /* u v^3 */
  field_multiply(&power, &power, &power);
  field_multiply(&power, &power, v);
  field_multiply(&power, &power, u); /* u v^7 */
  field_root_power(&power, &power);
  field_multiply(x, x, &power);
  field_multiply(&check, x, x);
  field_multiply(&check, &check, v);
  if (field_equal(&check, u)) {
    return true;
  }
  field_multiply(x, x, &kRootOfMinusOne);
  field_multiply(&check, x, x);
  field_multiply(&check, &check, v);
  return field_equal(&check, u);
}

/* False unless the bytes are a point in its one encoding. */
static bool decode(point* p, const uint8_t bytes[FIELD_BYTES]) {
  const bool odd = bytes[FIELD_BYTES - 1] >> 7 != 0;
  uint8_t again[FIELD_BYTES];
  field u, v;
  field_load(&p->y, bytes);
  p->y.word[FIELD_WORDS - 1] &= 0x7FFFFFFFu;
  field_multiply(&u, &p->y, &p->y);
  field_multiply(&v, &u, &kD);
  field_subtract(&u, &u, &kOne);
  field_add(&v, &v, &kOne);
  if (!root_of_ratio(&p->x, &u, &v)) {
    return false;
  }
  if (field_is_odd(&p->x) != odd) {
    field_subtract(&p->x, &(field){{0}}, &p->x);
  }
  p->z = kOne;
  field_multiply(&p->t, &p->x, &p->y);
  encode(p, again);
  return memcmp(again, bytes, FIELD_BYTES) == 0;
}

static bool is_below_order(const uint32_t scalar[SCALAR_WORDS]) {
  for (int i = SCALAR_WORDS - 1; i >= 0; --i) {
    if (scalar[i] != kOrder[i]) {
      return scalar[i] < kOrder[i];
    }
  }
  return false;
}

/* The digest, little endian, modulo the order: bit by bit, from the highest. */
static void reduce(const uint8_t digest[SHA512_BYTES], uint32_t scalar[SCALAR_WORDS]) {
  memset(scalar, 0, SCALAR_WORDS * sizeof(scalar[0]));
  for (int bit = 8 * SHA512_BYTES - 1; bit >= 0; --bit) {
    uint32_t carry = digest[bit / 8] >> (bit % 8) & 1u;
    for (int i = 0; i < SCALAR_WORDS; ++i) {
      const uint32_t word = scalar[i];
      scalar[i] = word << 1 | carry;
      carry = word >> 31;
    }
    if (!is_below_order(scalar)) {
      uint32_t borrow = 0;
      for (int i = 0; i < SCALAR_WORDS; ++i) {
        const uint64_t taken = (uint64_t)kOrder[i] + borrow;
        borrow = scalar[i] < taken;
        scalar[i] = (uint32_t)(scalar[i] - taken);
      }
    }
  }
}

static int bit_of(const uint32_t scalar[SCALAR_WORDS], int bit) {
  return (int)(scalar[bit / 32] >> (bit % 32) & 1u);
}

/* s * base + k * p, both at once from the highest bit. */
static void combine(point* sum, const uint32_t s[SCALAR_WORDS], const uint32_t k[SCALAR_WORDS],
                    const point* p) {
  point both;
  add(&both, &kBase, p);
  const point* const terms[4] = {NULL, &kBase, p, &both};
  *sum = kNeutral;
  for (int bit = SCALAR_BITS - 1; bit >= 0; --bit) {
    twice(sum);
    const point* term = terms[bit_of(s, bit) + 2 * bit_of(k, bit)];
    if (term != NULL) {
      add(sum, sum, term);
    }
  }
}

bool ed25519_verify(const uint8_t key[ED25519_KEY_BYTES], const uint8_t signature[ED25519_SIGNATURE_BYTES],
                    const void* message, size_t count) {
  point p, sum;
  field s;
  field_load(&s, signature + FIELD_BYTES);
  if (!is_below_order(s.word) || !decode(&p, key)) {
    return false;
  }
  field_subtract(&p.x, &(field){{0}}, &p.x);
  field_subtract(&p.t, &(field){{0}}, &p.t);

  sha512 hash;
  uint8_t digest[SHA512_BYTES], expected[FIELD_BYTES];
  uint32_t k[SCALAR_WORDS];
  sha512_begin(&hash);
  sha512_add(&hash, signature, FIELD_BYTES);
  sha512_add(&hash, key, ED25519_KEY_BYTES);
  sha512_add(&hash, message, count);
  sha512_end(&hash, digest);
  reduce(digest, k);
  combine(&sum, s.word, k, &p);
  encode(&sum, expected);
  return memcmp(expected, signature, FIELD_BYTES) == 0;
}
