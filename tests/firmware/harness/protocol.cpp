// Feeds standard input to the protocol parser and prints what it made of each line; with an argument, prints
// JSON.
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "crc32.h"
#include "json_line.h"
#include "line_reader.h"

static void print_line(LineReader& reader) {
  static const char* const kVerbs[] = {"info",    "reset",  "trace", "pcm",       "in",    "run",
                                       "sensors", "led",    "imu",   "calibrate", "frame", "learn",
                                       "train",   "forget", "list",  "advance"};
  Command command;
  const Reject reject = parse_command(reader.line(), reader.length(), &command);
  if (reject != Reject::kNone) {
    printf("nak %u %s\n", command.seq, reject_name(reject));
    return;
  }
  printf("%s %u", kVerbs[static_cast<int>(command.verb)], command.seq);
  if (command.verb == Verb::kTrace) {
    printf(" %u", command.trace);
  } else if (command.verb == Verb::kLed) {
    printf(" %u %u %u", command.color[0], command.color[1], command.color[2]);
  } else if (command.verb == Verb::kCalibrate) {
    printf(" %lu", static_cast<unsigned long>(command.seconds));
  } else if (command.verb == Verb::kAdvance || command.verb == Verb::kLearn || command.verb == Verb::kTrain) {
    printf(" %lu", static_cast<unsigned long>(command.count));
  } else if (command.data != nullptr) {
    printf(" %lu %lu %08lx", static_cast<unsigned long>(command.offset),
           static_cast<unsigned long>(command.bytes),
           static_cast<unsigned long>(crc32(command.data, command.bytes)));
  }
  if (command.name != nullptr) {
    printf(" %08lx", static_cast<unsigned long>(crc32(command.name, command.name_length)));
  }
  printf("\n");
}

static void write_stdout(void*, const char* text, size_t count) {
  fwrite(text, 1, count, stdout);
}

static void print_json(const char* hostile) {
  const char* const texts[] = {hostile, "", "yes"};
  const int8_t numbers[] = {-128, -1, 0, 1, 127};
  const uint8_t bytes[] = {0x00, 0x7f, 0xff};
  const TextSink sink = {write_stdout, nullptr};
  JsonLine(sink)
      .begin("all")
      .text("hostile", hostile)
      .number("zero", 0)
      .number("largest", UINT64_MAX)
      .permille("p0", 0)
      .permille("p4", 4)
      .permille("p5", 5)
      .permille("p938", 938)
      .permille("p1000", 1000)
      .texts("texts", texts, 3)
      .texts("no_texts", texts, 0)
      .numbers("numbers", numbers, 5)
      .numbers("no_numbers", numbers, 0)
      .hex("hex", bytes, 3)
      .base64("base64_0", bytes, 0)
      .base64("base64_1", bytes, 1)
      .base64("base64_2", bytes, 2)
      .base64("base64_3", bytes, 3)
      .base64("base64_5", numbers, 5)
      .end();
}

int main(int argc, char** argv) {
  if (argc > 1) {
    print_json(argv[1]);
    return 0;
  }
  static LineReader reader;
  for (int byte = getchar(); byte != EOF; byte = getchar()) {
    switch (reader.push(static_cast<char>(byte))) {
      case LineReader::Event::kLine:
        print_line(reader);
        break;
      case LineReader::Event::kTooLong:
        printf("too long\n");
        break;
      case LineReader::Event::kNone:
        break;
    }
  }
  return 0;
}
