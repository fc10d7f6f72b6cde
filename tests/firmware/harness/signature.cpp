// Standard input: cases, each a type byte, a 32-bit length (little endian), and so many bytes. 'h': SHA-512
// of the bytes, taken in parts of 1, 2, 3 ... bytes. 'v': key, signature, message. Prints a line for each.
#include <stdint.h>
#include <stdio.h>
#include <vector>

extern "C" {
#include "ed25519.h"
#include "sha512.h"
}

static void print_hash(const std::vector<uint8_t>& bytes) {
  sha512 hash;
  uint8_t digest[SHA512_BYTES];
  sha512_begin(&hash);
  for (size_t done = 0, piece = 1; done < bytes.size(); done += piece++) {
    sha512_add(&hash, bytes.data() + done, piece < bytes.size() - done ? piece : bytes.size() - done);
  }
  sha512_end(&hash, digest);
  for (uint8_t byte : digest) printf("%02x", byte);
  printf("\n");
}

int main() {
  uint8_t head[5];
  while (fread(head, 1, sizeof(head), stdin) == sizeof(head)) {
    std::vector<uint8_t> bytes(head[1] | head[2] << 8 | head[3] << 16 | static_cast<uint32_t>(head[4]) << 24);
    if (fread(bytes.data(), 1, bytes.size(), stdin) != bytes.size()) return 1;
    if (head[0] == 'h') {
      print_hash(bytes);
    } else {
      const uint8_t* signature = bytes.data() + ED25519_KEY_BYTES;
      const uint8_t* message = signature + ED25519_SIGNATURE_BYTES;
      printf("%d\n", ed25519_verify(bytes.data(), signature, message, bytes.size() - 96));
    }
  }
  return 0;
}
