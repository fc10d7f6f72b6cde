// State of the Hal of a web page: it lies with the page's ports, see hal_browser.cpp.
#pragma once

struct HalState {};
