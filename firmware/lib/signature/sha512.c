#include "sha512.h"

#include <string.h>

enum { BLOCK_BYTES = 128, ROUNDS = 80, LENGTH_BYTES = 16 };

/* The first 64 bits of the fractions of the cube roots of the first 80 primes. */
static const uint64_t kRoundConstants[ROUNDS] = {
    0x428a2f98d728ae22u, 0x7137449123ef65cdu, 0xb5c0fbcfec4d3b2fu, 0xe9b5dba58189dbbcu, 0x3956c25bf348b538u,
    0x59f111f1b605d019u, 0x923f82a4af194f9bu, 0xab1c5ed5da6d8118u, 0xd807aa98a3030242u, 0x12835b0145706fbeu,
    0x243185be4ee4b28cu, 0x550c7dc3d5ffb4e2u, 0x72be5d74f27b896fu, 0x80deb1fe3b1696b1u, 0x9bdc06a725c71235u,
    0xc19bf174cf692694u, 0xe49b69c19ef14ad2u, 0xefbe4786384f25e3u, 0x0fc19dc68b8cd5b5u, 0x240ca1cc77ac9c65u,
    0x2de92c6f592b0275u, 0x4a7484aa6ea6e483u, 0x5cb0a9dcbd41fbd4u, 0x76f988da831153b5u, 0x983e5152ee66dfabu,
    0xa831c66d2db43210u, 0xb00327c898fb213fu, 0xbf597fc7beef0ee4u, 0xc6e00bf33da88fc2u, 0xd5a79147930aa725u,
    0x06ca6351e003826fu, 0x142929670a0e6e70u, 0x27b70a8546d22ffcu, 0x2e1b21385c26c926u, 0x4d2c6dfc5ac42aedu,
    0x53380d139d95b3dfu, 0x650a73548baf63deu, 0x766a0abb3c77b2a8u, 0x81c2c92e47edaee6u, 0x92722c851482353bu,
    0xa2bfe8a14cf10364u, 0xa81a664bbc423001u, 0xc24b8b70d0f89791u, 0xc76c51a30654be30u, 0xd192e819d6ef5218u,
    0xd69906245565a910u, 0xf40e35855771202au, 0x106aa07032bbd1b8u, 0x19a4c116b8d2d0c8u, 0x1e376c085141ab53u,
    0x2748774cdf8eeb99u, 0x34b0bcb5e19b48a8u, 0x391c0cb3c5c95a63u, 0x4ed8aa4ae3418acbu, 0x5b9cca4f7763e373u,
    0x682e6ff3d6b2b8a3u, 0x748f82ee5defb2fcu, 0x78a5636f43172f60u, 0x84c87814a1f0ab72u, 0x8cc702081a6439ecu,
    0x90befffa23631e28u, 0xa4506cebde82bde9u, 0xbef9a3f7b2c67915u, 0xc67178f2e372532bu, 0xca273eceea26619cu,
    0xd186b8c721c0c207u, 0xeada7dd6cde0eb1eu, 0xf57d4f7fee6ed178u, 0x06f067aa72176fbau, 0x0a637dc5a2c898a6u,
    0x113f9804bef90daeu, 0x1b710b35131c471bu, 0x28db77f523047d84u, 0x32caab7b40c72493u, 0x3c9ebe0a15c9bebcu,
    0x431d67c49c100d4cu, 0x4cc5d4becb3e42b6u, 0x597f299cfc657e2au, 0x5fcb6fab3ad6faecu, 0x6c44198c4a475817u,
};

/* The same of the square roots of the first 8. */
static const uint64_t kInitialState[8] = {
    0x6a09e667f3bcc908u, 0xbb67ae8584caa73bu, 0x3c6ef372fe94f82bu, 0xa54ff53a5f1d36f1u,
    0x510e527fade682d1u, 0x9b05688c2b3e6c1fu, 0x1f83d9abfb41bd6bu, 0x5be0cd19137e2179u,
};

static uint64_t rotated(uint64_t value, int bits) {
  return value >> bits | value << (64 - bits);
}

static uint64_t load(const uint8_t* bytes) {
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) {
    value = value << 8 | bytes[i];
  }
  return value;
}

static void store(uint64_t value, uint8_t* bytes) {
  for (int i = 7; i >= 0; --i) {
    bytes[i] = (uint8_t)value;
    value >>= 8;
  }
}

/* The next word of the message schedule, in a ring of the last 16. */
static uint64_t scheduled(uint64_t w[16], unsigned round) {
  const uint64_t early = w[(round + 1) % 16], late = w[(round + 14) % 16];
  w[round % 16] += (rotated(early, 1) ^ rotated(early, 8) ^ early >> 7) + w[(round + 9) % 16] +
                   (rotated(late, 19) ^ rotated(late, 61) ^ late >> 6);
  return w[round % 16];
}

static void compress(uint64_t state[8], const uint8_t block[BLOCK_BYTES]) {
  uint64_t w[16], s[8];
  for (int i = 0; i < 16; ++i) {
    w[i] = load(block + 8 * i);
  }
  memcpy(s, state, sizeof(s));
  /* The eight variables a to h move on by one place each round; here the places move instead. */
  for (unsigned round = 0; round < ROUNDS; ++round) {
    const uint64_t a = s[(0 - round) % 8], b = s[(1 - round) % 8], c = s[(2 - round) % 8];
    const uint64_t e = s[(4 - round) % 8], f = s[(5 - round) % 8], g = s[(6 - round) % 8];
    uint64_t* const d = &s[(3 - round) % 8];
    uint64_t* const h = &s[(7 - round) % 8];
    const uint64_t word = round < 16 ? w[round] : scheduled(w, round);
    const uint64_t choice = (e & f) ^ (~e & g), majority = (a & b) ^ (a & c) ^ (b & c);
    *h += (rotated(e, 14) ^ rotated(e, 18) ^ rotated(e, 41)) + choice + kRoundConstants[round] + word;
    *d += *h;
    *h += (rotated(a, 28) ^ rotated(a, 34) ^ rotated(a, 39)) + majority;
  }
  for (int i = 0; i < 8; ++i) {
    state[i] += s[i];
  }
}

void sha512_begin(sha512* hash) {
  memcpy(hash->state, kInitialState, sizeof(hash->state));
  hash->bytes = 0;
}

void sha512_add(sha512* hash, const void* data, size_t count) {
  const uint8_t* bytes = (const uint8_t*)data;
  while (count > 0) {
    const size_t used = (size_t)(hash->bytes % BLOCK_BYTES);
    const size_t piece = count < BLOCK_BYTES - used ? count : BLOCK_BYTES - used;
    memcpy(hash->block + used, bytes, piece);
    hash->bytes += piece;
    bytes += piece;
    count -= piece;
    if (used + piece == BLOCK_BYTES) {
      compress(hash->state, hash->block);
    }
  }
}

void sha512_end(sha512* hash, uint8_t digest[SHA512_BYTES]) {
  const uint64_t bits = 8 * hash->bytes;
  size_t used = (size_t)(hash->bytes % BLOCK_BYTES);
  hash->block[used++] = 0x80;
  if (used > BLOCK_BYTES - LENGTH_BYTES) {
    memset(hash->block + used, 0, BLOCK_BYTES - used);
    compress(hash->state, hash->block);
    used = 0;
  }
  memset(hash->block + used, 0, BLOCK_BYTES - used);
  store(bits, hash->block + BLOCK_BYTES - 8);
  compress(hash->state, hash->block);
  for (int i = 0; i < 8; ++i) {
    store(hash->state[i], digest + 8 * i);
  }
}
