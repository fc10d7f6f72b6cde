// Base64 with the standard alphabet and padding (RFC 4648 section 4), strict: no blanks, no missing padding.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Decodes `count` characters. `bytes` needs room for count / 4 * 3 and may be the text's own memory, at or
// before its start. Returns false, with `bytes` in an unspecified state, unless the text is complete and
// valid.
bool base64_decode(const char* text, size_t count, uint8_t* bytes, size_t* decoded);

// Encodes one to three bytes as four characters.
void base64_encode(const uint8_t* bytes, size_t count, char text[4]);
