// CRC-32 of zlib and Ethernet (reflected, polynomial 0xEDB88320; RFC 1952 section 8).
#pragma once

#include <stddef.h>
#include <stdint.h>

uint32_t crc32(const void* bytes, size_t count);
