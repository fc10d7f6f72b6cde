// Words come and go by chance in memory with the rules of flash; in one round after another, power is lost in
// an operation by chance, and the words must be those before or after what was under way. Prints ok.
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <map>
#include <new>
#include <string>

#include "virtual/file_flash.h"
#include "word_store.h"

namespace {

using Words = std::map<std::string, int32_t>;

jmp_buf lost;

struct Memory {
  bool write_file(size_t, const uint8_t*, size_t) { return true; }
  void lose_power() { longjmp(lost, 1); }
};

alignas(8) uint8_t bytes[WordStore::kFlashBytes];
Memory memory;
alignas(FileFlash<Memory>) uint8_t place[sizeof(FileFlash<Memory>)];
FileFlash<Memory>* flash;
WordStore store;
Words before, after;

[[noreturn]] void fail(const char* what) {
  printf("%s\n", what);
  exit(0);
}

Words found() {
  Words words;
  for (size_t i = 0; i < store.count(); ++i) {
    words[store.word(i).name] = store.word(i).bias;
  }
  return words;
}

void boot(uint32_t cut_at) {
  flash = new (place) FileFlash<Memory>(bytes, sizeof(bytes));
  flash->begin(&memory, cut_at);
  store.begin(flash, 7);
}

// One change; `before` and `after` are what may be found if power is lost meanwhile.
void change() {
  const std::string name = "w" + std::to_string(rand() % 24);
  const size_t index = store.find(name.c_str(), name.size());
  before = found();
  after = before;
  if (index < store.count() && rand() % 2 == 0) {
    TaughtWord word = store.word(index);
    word.bias = rand();
    after[name] = word.bias;
    if (!store.replace(index, word)) fail("a word cannot be replaced");
  } else if (index < store.count()) {
    after.erase(name);
    if (!store.remove(index)) fail("a word cannot be forgotten");
  } else if (!store.is_full()) {
    TaughtWord word = {};
    strcpy(word.name, name.c_str());
    word.bias = rand();
    memset(word.weights, rand(), sizeof(word.weights));
    after[name] = word.bias;
    if (!store.add(word)) fail("a word cannot be kept");
  }
  if (found() != after) fail("the words are not those that were kept");
}

}  // namespace

int main() {
  srand(5);
  memset(bytes, 0xFF, sizeof(bytes));
  for (volatile int round = 0; round < 2000; ++round) {
    if (setjmp(lost) == 0) {
      boot(static_cast<uint32_t>(1 + rand() % 60));
      for (;;) change();
    }
    boot(0);
    const Words now = found();
    if (now != before && now != after) fail("power was lost, and words with it");
  }
  boot(0);
  store.begin(flash, 8);
  if (store.count() != 0) fail("words of another network count");
  store.begin(nullptr, 7);
  if (store.count() != 0 || !store.is_full()) fail("words without flash");
  printf("ok\n");
  return 0;
}
