#include "base64.h"

namespace {

int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

}  // namespace

bool base64_decode(const char* text, size_t count, uint8_t* bytes, size_t* decoded) {
  *decoded = 0;
  if (count % 4 != 0) {
    return false;
  }
  size_t padding = 0;
  while (padding < 2 && padding < count && text[count - 1 - padding] == '=') {
    ++padding;
  }
  size_t written = 0;
  uint32_t bits = 0;
  for (size_t i = 0; i < count - padding; ++i) {
    const int value = value_of(text[i]);
    if (value < 0) {
      return false;
    }
    bits = (bits << 6) | static_cast<uint32_t>(value);
    // Writing byte n needs character n + 1 to have been read, so decoding in place never overtakes the text.
    if (i % 4 != 0) {
      bytes[written++] = static_cast<uint8_t>(bits >> (6 - 2 * (i % 4)));
    }
  }
  const uint32_t unused_bits = padding == 0 ? 0u : (padding == 1 ? 3u : 15u);
  *decoded = written;
  return (bits & unused_bits) == 0;
}

void base64_encode(const uint8_t* bytes, size_t count, char text[4]) {
  static const char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  uint32_t bits = static_cast<uint32_t>(bytes[0]) << 16;
  bits |= count > 1 ? static_cast<uint32_t>(bytes[1]) << 8 : 0u;
  bits |= count > 2 ? bytes[2] : 0u;
  for (size_t i = 0; i < 4; ++i) {
    text[i] = i <= count ? kAlphabet[(bits >> (18 - 6 * i)) & 63] : '=';
  }
}
