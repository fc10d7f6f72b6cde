/* SHA-512 (FIPS 180-4) of bytes that arrive in parts. */
#ifndef TINYML_SHA512_H
#define TINYML_SHA512_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SHA512_BYTES 64

typedef struct {
  uint64_t state[8];
  uint64_t bytes;     /* taken so far */
  uint8_t block[128]; /* of which the last, incomplete ones are kept here */
} sha512;

void sha512_begin(sha512* hash);
void sha512_add(sha512* hash, const void* data, size_t count);
void sha512_end(sha512* hash, uint8_t digest[SHA512_BYTES]);

#ifdef __cplusplus
}
#endif

#endif /* TINYML_SHA512_H */
