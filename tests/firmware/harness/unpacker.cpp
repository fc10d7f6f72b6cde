// Unpacks. Standard input: a byte that is 1 where a base comes, the number of tables' bytes (32 bits), the
// base, and packed tables. Argument: of how many bytes a piece is. Prints the tables, as far as they come.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vector>

#include "unpacker.h"

int main(int, char** arguments) {
  std::vector<uint8_t> bytes(1 << 20);
  bytes.resize(fread(bytes.data(), 1, bytes.size(), stdin));
  const size_t piece = static_cast<size_t>(atoi(arguments[1]));
  uint32_t size;
  memcpy(&size, bytes.data() + 1, sizeof(size));
  const uint8_t* next = bytes.data() + 1 + sizeof(size);
  const uint8_t* base = bytes[0] == 1 ? next : nullptr;
  const uint8_t* end = bytes.data() + bytes.size();
  const std::vector<uint8_t> packed(next + (base == nullptr ? 0 : size), end);
  static Unpacker unpacker;
  unpacker.begin(base);
  std::vector<uint8_t> tables(size);
  size_t made = 0;
  for (size_t at = Unpacker::kPreambleBytes; at < packed.size();) {
    const size_t left = packed.size() - at;
    // A copy of exactly this length, so that a sanitizer sees what is read beyond it.
    const std::vector<uint8_t> copy(packed.data() + at, packed.data() + at + (piece < left ? piece : left));
    size_t used = 0;
    made += unpacker.take(copy.data(), copy.size(), &used, tables.data() + made, size - made);
    at += used;
    if (made == size) break;
  }
  fwrite(tables.data(), 1, made, stdout);
  return 0;
}
