// Reads sequence numbers and "reset"; prints for each what a feed from the host makes of it, and whether it
// is active.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_feed.h"

int main() {
  HostFeed feed;
  char word[16];
  while (scanf("%15s", word) == 1) {
    const char* made = "reset";
    if (strcmp(word, "reset") == 0) {
      feed.reset();
    } else {
      Command command = {};
      command.seq = static_cast<uint16_t>(atoi(word));
      made = feed.take(command) ? "new" : "repeated";
    }
    printf("%s %d\n", made, feed.is_active());
  }
  return 0;
}
