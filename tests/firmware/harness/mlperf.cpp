// Feeds standard input to the line reader and MLPerf Tiny's parser; prints what they made of each line.
#include <stdio.h>

#include "crc32.h"
#include "line_reader.h"
#include "mlperf_command.h"

static void print_command(LineReader& reader) {
  static const char* const kVerbs[] = {"none",    "name",  "timestamp", "profile", "help",
                                       "results", "infer", "load",      "data",    "print"};
  MlperfCommand command;
  const MlperfError error = parse_mlperf_command(reader.line(), reader.length(), &command);
  if (error != MlperfError::kNone) {
    printf("error %d\n", static_cast<int>(error));
    return;
  }
  printf("%s %lu %lu", kVerbs[static_cast<int>(command.verb)], static_cast<unsigned long>(command.numbers[0]),
         static_cast<unsigned long>(command.numbers[1]));
  if (command.verb == MlperfVerb::kData) {
    printf(" %lu %08lx", static_cast<unsigned long>(command.bytes),
           static_cast<unsigned long>(crc32(command.data, command.bytes)));
  }
  printf("\n");
}

int main() {
  static LineReader reader(true);
  for (int byte = getchar(); byte != EOF; byte = getchar()) {
    const LineReader::Event event = reader.push(static_cast<char>(byte));
    if (event == LineReader::Event::kNone) {
      continue;
    }
    if (event == LineReader::Event::kTooLong) {
      printf("too long %c\n", reader.terminator() == '%' ? '%' : 'n');
    } else if (reader.terminator() == '%') {
      print_command(reader);
    } else {
      printf("line %lu\n", static_cast<unsigned long>(reader.length()));
    }
  }
  return 0;
}
