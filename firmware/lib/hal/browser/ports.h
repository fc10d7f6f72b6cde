// What a web page and the firmware hand to each other through the memory that they share.
#pragma once

#define TINYML_EXPORT(name) extern "C" __attribute__((export_name(name)))
#define TINYML_IMPORT(name) extern "C" __attribute__((import_module("tinyml"), import_name(name)))

// Whether the application has found nothing to do since this was last asked.
bool browser_idled();
