/* A plugin of qemu-user that counts the instructions of a program and writes
 * their number to standard error when it ends. What it needs of qemu-plugin.h is
 * declared here: Debian does not ship that file. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

typedef uint64_t id;
struct qemu_plugin_tb;
enum { add };

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
void qemu_plugin_register_vcpu_tb_trans_cb(id, void (*)(id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, int op, void *, uint64_t);
void qemu_plugin_register_atexit_cb(id, void (*)(id, void *), void *);

int qemu_plugin_version = 1;

static uint64_t instructions;

/* translated has each run of a block add the block's instructions. */
static void translated(id plugin, struct qemu_plugin_tb *tb) {
	(void)plugin;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, add, &instructions, qemu_plugin_tb_n_insns(tb));
}

static void ended(id plugin, void *unused) {
	(void)plugin, (void)unused;
	fprintf(stderr, "instructions %" PRIu64 "\n", instructions);
}

int qemu_plugin_install(id plugin, const void *info, int argc, char **argv) {
	(void)info, (void)argc, (void)argv;
	qemu_plugin_register_vcpu_tb_trans_cb(plugin, translated);
	qemu_plugin_register_atexit_cb(plugin, ended, NULL);
	return 0;
}
