/* Verifies Ed25519 signatures (RFC 8032): never signs, so it handles no secret and need not take constant
 * time. */
#ifndef TINYML_ED25519_H
#define TINYML_ED25519_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ED25519_KEY_BYTES 32
#define ED25519_SIGNATURE_BYTES 64

/* Whether `signature` is the key's for the message: the equation without cofactor of section 5.1.7, S below
 * the group's order, and key and R in their one encoding. */
bool ed25519_verify(const uint8_t key[ED25519_KEY_BYTES], const uint8_t signature[ED25519_SIGNATURE_BYTES],
                    const void* message, size_t count);

#ifdef __cplusplus
}
#endif

#endif /* TINYML_ED25519_H */
