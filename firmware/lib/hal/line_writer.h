// Writes lines to a host that may be absent, or may stop reading, without ever blocking the application.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Port offers: bool connected(); size_t send(const char* bytes, size_t count), which takes as many as
// fit; uint32_t now_ms(); void wait(), which waits briefly.
//
// A host that takes nothing for kPatienceMs costs that time once; until it reads again, lines are dropped
// immediately. Lines are dropped whole: the rest of a line is never sent without its start, and a truncated
// line is ended before the next.
template <class Port>
class LineWriter {
 public:
  static constexpr uint32_t kPatienceMs = 100;

  void write(Port& port, const char* bytes, size_t count) {
    while (count > 0) {
      const size_t piece = to_line_end(bytes, count);
      if (!port.connected()) {
        *this = LineWriter();
        skipping_ = true;
      } else if (!skipping_ && !(end_cut_line(port) && push(port, bytes, piece))) {
        skipping_ = true;
        cut_ = mid_line_;
      }
      if (bytes[piece - 1] == '\n') {
        skipping_ = false;
      }
      bytes += piece;
      count -= piece;
    }
  }

 private:
  static size_t to_line_end(const char* bytes, size_t count) {
    size_t length = 1;
    while (length < count && bytes[length - 1] != '\n') {
      ++length;
    }
    return length;
  }

  bool end_cut_line(Port& port) {
    if (cut_ && !push(port, "\n", 1)) {
      return false;
    }
    cut_ = false;
    return true;
  }

  bool push(Port& port, const char* bytes, size_t count) {
    uint32_t since_ms = port.now_ms();
    while (count > 0) {
      const size_t sent = port.send(bytes, count);
      if (sent > 0) {
        stalled_ = false;
        since_ms = port.now_ms();
        mid_line_ = bytes[sent - 1] != '\n';
      } else if (stalled_ || !port.connected() || port.now_ms() - since_ms >= kPatienceMs) {
        stalled_ = true;
        return false;
      } else {
        port.wait();
      }
      bytes += sent;
      count -= sent;
    }
    return true;
  }

  bool stalled_ = false;   // the host took nothing last time
  bool skipping_ = false;  // until the line ends
  bool cut_ = false;       // a line that was dropped had been begun
  bool mid_line_ = false;  // the last byte sent does not end a line
};
