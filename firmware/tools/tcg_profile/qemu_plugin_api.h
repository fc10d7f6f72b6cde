/* What this plugin uses of QEMU's documented TCG plugin interface ("QEMU TCG Plugins" in QEMU's developer
 * manual), declared here because distributions ship QEMU without its header.
 *
 * All of it is the same from interface version 1 (QEMU 4.2) to 5 (QEMU 10): what later versions changed is
 * not used. QEMU 9 refuses plugins that announce version 1, older ones refuse those that announce 2, so the
 * build says which to announce. */
#ifndef TINYML_QEMU_PLUGIN_API_H
#define TINYML_QEMU_PLUGIN_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef TINYML_QEMU_PLUGIN_VERSION
#define TINYML_QEMU_PLUGIN_VERSION 1
#endif

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;   /* a translated block of instructions that run one after another */
struct qemu_plugin_insn; /* one of its instructions */

enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS = 0 };
enum qemu_plugin_mem_rw { QEMU_PLUGIN_MEM_RW = 3 };

typedef void (*qemu_plugin_tb_translated)(qemu_plugin_id_t id, struct qemu_plugin_tb* block);
typedef void (*qemu_plugin_tb_executed)(unsigned int vcpu, void* user_data);
typedef void (*qemu_plugin_memory_accessed)(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t address,
                                            void* user_data);

extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_tb_translated callback);
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb* block,
                                                 qemu_plugin_tb_executed callback,
                                                 enum qemu_plugin_cb_flags flags, void* user_data);
extern void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn* instruction,
                                             qemu_plugin_memory_accessed callback,
                                             enum qemu_plugin_cb_flags flags, enum qemu_plugin_mem_rw kinds,
                                             void* user_data);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb* block);
extern uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb* block);
extern struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb* block, size_t index);
extern uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn* instruction);
extern size_t qemu_plugin_insn_size(const struct qemu_plugin_insn* instruction);
extern bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info);
extern void* qemu_plugin_insn_haddr(const struct qemu_plugin_insn* instruction);

/* Read by QEMU when it loads the plugin. */
__attribute__((visibility("default"))) extern int qemu_plugin_version;
__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const void* info,
                                                               int argc, char** argv);

#endif
