// State of the Hal of a web page: it lies with the page's ports, see hal_browser.cpp.
#pragma once

struct HalState {
  HalState() {}  // not defaulted, or Clang takes the Hal's empty state for one that was forgotten
};
