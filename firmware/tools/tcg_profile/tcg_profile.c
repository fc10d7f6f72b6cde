/* Counts what one inference executes on QEMU: how often each basic block ran, by operator.
 *
 *     qemu-system-arm ... -plugin tcg_profile.so,spec=SPEC,out=TRACE
 *
 * SPEC has one item per line, numbers in hexadecimal:
 *     window ADDRESS        the function that runs one inference
 *     mark ADDRESS          a function that runs one operator; many lines
 *     stack BOTTOM TOP      the memory of the stack
 *
 * Counting starts on entry to the window's function and ends when it returns; TRACE is then written
 * completely, replacing that of the previous inference. It is a list of segments in order of time: `segment
 * ADDRESS` names the mark that was entered, 0 the window's own code between marks; each is followed by `block
 * START END EXECUTIONS JUMPS`, where JUMPS says how often the block was left for another place than END, that
 * is, by a taken branch; and by `reads DATA MISSES`: how often data in the code region was read, and how
 * many lines of code a cache would have lacked. Marks inside an open mark belong to it. The last lines are
 * `stack LOWEST LOWEST_EVER`, the lowest stack addresses written in the inference and since reset, and `end`.
 *
 * The cache is direct-mapped and begins an inference empty; its size and that of its lines are below.
 *
 * Both functions must be called by a branch with link whose return goes to the next instruction: the plugin
 * interface shows no registers, so the return address is the end of the block that called. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_plugin_api.h"

typedef struct Block {
  struct Block* next_in_bucket;
  struct Block* next_executed;
  uint32_t start;
  uint32_t end;
  bool opens_window;
  bool is_mark;
  uint64_t executions; /* in the open segment */
  uint64_t jumps;
} Block;

enum { kBuckets = 1 << 14, kMaxMarks = 4096, kMaxPath = 4096 };

/* The nRF52840's instruction cache has 2 kB (Product Specification, NVMC). How it is organised is not
 * published: this is the organisation with the most misses. */
enum { kCacheLineBits = 4, kCacheLines = 2048 >> kCacheLineBits };

static const uint32_t kCodeRegionEnd = 0x20000000; /* ARMv7-M: the memory map is part of the architecture */

static struct {
  uint32_t window;
  uint32_t marks[kMaxMarks];
  size_t mark_count;
  uint32_t stack_bottom;
  uint32_t stack_top;
  char out[kMaxPath];
} spec;

static struct {
  FILE* trace; /* not NULL while the window is open */
  const Block* previous;
  Block* executed; /* the open segment's blocks */
  uint32_t segment;
  uint64_t code_reads;   /* in the open segment */
  uint64_t cache_misses; /* in the open segment */
  uint32_t window_return;
  uint32_t mark_return; /* 0: no mark is open */
  uint32_t lowest;
  uint32_t lowest_ever;
} state;

static Block* buckets[kBuckets];
static Block nowhere;
static uint32_t cached_lines[kCacheLines]; /* 1 + number of the line; 0: none */

int qemu_plugin_version = TINYML_QEMU_PLUGIN_VERSION;

static void give_up(const char* what, const char* where) {
  fprintf(stderr, "tcg_profile: %s: %s\n", what, where);
  exit(3);
}

static bool is_mark(uint32_t address) {
  for (size_t i = 0; i < spec.mark_count; ++i) {
    if (spec.marks[i] == address) return true;
  }
  return false;
}

/* QEMU translates a block repeatedly, sometimes with another length. */
static Block* find_block(uint32_t start, uint32_t end) {
  Block** bucket = &buckets[(start >> 1) % kBuckets];
  for (Block* block = *bucket; block; block = block->next_in_bucket) {
    if (block->start == start && block->end == end) return block;
  }
  Block* block = calloc(1, sizeof(*block));
  if (!block) give_up("out of memory", "block");
  block->start = start;
  block->end = end;
  block->opens_window = start == spec.window;
  block->is_mark = is_mark(start);
  block->next_in_bucket = *bucket;
  *bucket = block;
  return block;
}

static void close_segment(void) {
  if (state.executed) fprintf(state.trace, "segment %x\n", state.segment);
  for (Block* block = state.executed; block; block = block->next_executed) {
    fprintf(state.trace, "block %x %x %llu %llu\n", block->start, block->end,
            (unsigned long long)block->executions, (unsigned long long)block->jumps);
    block->executions = 0;
    block->jumps = 0;
  }
  if (state.executed) {
    fprintf(state.trace, "reads %llu %llu\n", (unsigned long long)state.code_reads,
            (unsigned long long)state.cache_misses);
  }
  state.executed = NULL;
  state.code_reads = 0;
  state.cache_misses = 0;
}

static void temporary_name(char* name, size_t size) {
  snprintf(name, size, "%s.part", spec.out);
}

static void open_window(uint32_t return_address) {
  char name[kMaxPath + 8];
  temporary_name(name, sizeof(name));
  state.trace = fopen(name, "w");
  if (!state.trace) give_up("cannot write", name);
  fputs("tcg_profile 2\n", state.trace);
  state.window_return = return_address;
  state.segment = 0;
  state.mark_return = 0;
  state.code_reads = 0;
  state.cache_misses = 0;
  memset(cached_lines, 0, sizeof(cached_lines));
  state.lowest = spec.stack_top;
}

static void close_window(void) {
  char name[kMaxPath + 8];
  temporary_name(name, sizeof(name));
  close_segment();
  fprintf(state.trace, "stack %x %x\nend\n", state.lowest, state.lowest_ever);
  const bool failed = ferror(state.trace) != 0;
  if (fclose(state.trace) != 0 || failed || rename(name, spec.out) != 0) give_up("cannot write", spec.out);
  state.trace = NULL;
}

static void open_segment(uint32_t mark, uint32_t return_address) {
  close_segment();
  state.segment = mark;
  state.mark_return = return_address;
}

static void fetch(const Block* block) {
  const uint32_t last = (block->end - 1) >> kCacheLineBits;
  for (uint32_t line = block->start >> kCacheLineBits; line <= last; ++line) {
    uint32_t* const cached = &cached_lines[line % kCacheLines];
    if (*cached == line + 1) continue;
    *cached = line + 1;
    ++state.cache_misses;
  }
}

static void count(Block* block) {
  fetch(block);
  if (block->executions++ == 0) {
    block->next_executed = state.executed;
    state.executed = block;
  }
}

static void on_executed(unsigned int vcpu, void* user_data) {
  (void)vcpu;
  Block* block = user_data;
  Block* previous = (Block*)state.previous;
  state.previous = block;
  if (!state.trace) {
    if (!block->opens_window) return;
    open_window(previous->end);
    count(block);
    return;
  }
  if (previous->end != block->start) ++previous->jumps;
  if (block->start == state.window_return) {
    close_window();
    return;
  }
  if (state.mark_return && block->start == state.mark_return) {
    open_segment(0, 0);
  } else if (!state.mark_return && block->is_mark) {
    open_segment(block->start, previous->end);
  }
  count(block);
}

static void on_access(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t address, void* user_data) {
  (void)vcpu;
  (void)user_data;
  if (address < kCodeRegionEnd) ++state.code_reads;
  if (address < spec.stack_bottom || address >= spec.stack_top || !qemu_plugin_mem_is_store(info)) return;
  if (address < state.lowest) state.lowest = (uint32_t)address;
  if (address < state.lowest_ever) state.lowest_ever = (uint32_t)address;
}

/* QEMU reads the half-word after a block that ends just below a page, and adds its bytes to the last
 * instruction's size; so a Thumb instruction's size is taken from its first half-word, if that is available.
 */
static uint32_t end_of(const struct qemu_plugin_insn* instruction) {
  const uint16_t* code = qemu_plugin_insn_haddr(instruction);
  const size_t size = code ? (*code >= 0xE800 ? 4 : 2) : qemu_plugin_insn_size(instruction);
  return (uint32_t)(qemu_plugin_insn_vaddr(instruction) + size);
}

static void on_translated(qemu_plugin_id_t id, struct qemu_plugin_tb* translated) {
  (void)id;
  const size_t count_of = qemu_plugin_tb_n_insns(translated);
  if (count_of == 0) return;
  for (size_t i = 0; i < count_of; ++i) {
    qemu_plugin_register_vcpu_mem_cb(qemu_plugin_tb_get_insn(translated, i), on_access,
                                     QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, NULL);
  }
  const struct qemu_plugin_insn* last = qemu_plugin_tb_get_insn(translated, count_of - 1);
  Block* block = find_block((uint32_t)qemu_plugin_tb_vaddr(translated), end_of(last));
  qemu_plugin_register_vcpu_tb_exec_cb(translated, on_executed, QEMU_PLUGIN_CB_NO_REGS, block);
}

static bool read_item(const char* line) {
  if (sscanf(line, "window %x", &spec.window) == 1) return true;
  if (sscanf(line, "stack %x %x", &spec.stack_bottom, &spec.stack_top) == 2) return true;
  return spec.mark_count < kMaxMarks && sscanf(line, "mark %x", &spec.marks[spec.mark_count]) == 1 &&
         ++spec.mark_count;
}

static bool read_spec(const char* path) {
  FILE* file = fopen(path, "r");
  if (!file) return false;
  char line[128];
  bool good = true;
  while (good && fgets(line, sizeof(line), file)) good = read_item(line);
  fclose(file);
  return good && spec.window != 0;
}

int qemu_plugin_install(qemu_plugin_id_t id, const void* info, int argc, char** argv) {
  (void)info;
  const char* path = "";
  for (int i = 0; i < argc; ++i) {
    if (strncmp(argv[i], "spec=", 5) == 0) path = argv[i] + 5;
    if (strncmp(argv[i], "out=", 4) == 0) snprintf(spec.out, sizeof(spec.out), "%s", argv[i] + 4);
  }
  if (!read_spec(path)) {
    fprintf(stderr, "tcg_profile: the specification cannot be read: %s\n", path);
    return 1;
  }
  state.previous = &nowhere;
  state.lowest = state.lowest_ever = spec.stack_top;
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translated);
  return 0;
}
