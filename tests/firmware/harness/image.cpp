// stdin: 9 int32 (frame width, height, format, size, channels, multiplier, offset, shift, frames), then
// frames. stdout: 'n' where the settings are refused, else 'y' and the inputs.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "image.h"

int main() {
  int32_t head[9];
  if (fread(head, sizeof(head), 1, stdin) != 1) {
    return 1;
  }
  const ImageConfig config = {
      static_cast<uint16_t>(head[0]),
      static_cast<uint16_t>(head[1]),
      static_cast<ImageFormat>(head[2]),
      static_cast<uint16_t>(head[3]),
      static_cast<uint8_t>(head[4]),
      head[5],
      head[6],
      static_cast<uint8_t>(head[7]),
  };
  if (!image_config_ok(&config)) {
    putchar('n');
    return 0;
  }
  putchar('y');
  const size_t frame_bytes = image_frame_bytes(&config);
  const size_t input_bytes = static_cast<size_t>(config.size) * config.size * config.channels;
  uint8_t* frame = static_cast<uint8_t*>(malloc(frame_bytes));
  int8_t* input = static_cast<int8_t*>(malloc(input_bytes));
  for (int32_t i = 0; i < head[8]; ++i) {
    if (fread(frame, 1, frame_bytes, stdin) != frame_bytes) {
      return 1;
    }
    image_to_input(&config, frame, input);
    fwrite(input, 1, input_bytes, stdout);
  }
  free(frame);
  free(input);
  return 0;
}
