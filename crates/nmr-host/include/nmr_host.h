/*
 * nmr_host.h: what a test of C modules asks the embedded registrar.
 *
 * All of it is about the one registrar that the whole process shares. Its functions have the system's
 * convention, NMR_HOST_API, whatever the compiler's own is, and may be called from any thread.
 *
 * A report is a broken rule of the NMR's contract: which rule, by whom, where, what was expected
 * and what to do instead. Reports are kept until they are cleared. With the default policy each is
 * also printed to standard error, as a line that begins with "nmr-host: ". A line that cannot be
 * written is left out; the process goes on. A finding that repeats is one report with a count.
 *
 * Whatever the policy says, the reports that were not printed are printed when a signal ends the process
 * (a fault, abort, SIGTERM), after a line that names the last callback; and when a wait has not ended
 * after ten seconds ("stall-ms" sets another time), after a line that names whom it waits for.
 *
 * Limits: the interfaces are spread over 64 tables by their NPIIDs, and a table holds 2,097,152
 * registrations and as many bindings at once. Beyond that, and if memory runs out, a registration
 * returns STATUS_INSUFFICIENT_RESOURCES and changes nothing. Pointers may be misaligned. Functions may
 * be called from destructors of thread-specific data and from atexit.
 *
 * Fork (Linux): the child has a copy of the registrar, with all registrations, bindings and reports,
 * and goes on with it; no lock is left behind by a thread that the child does not have. A callback that
 * another thread was inside never returns in the child, so a wait for its registration does not end
 * there; the policy "watchdog-ms=1000" reports such a wait.
 */
#ifndef NMR_HOST_H
#define NMR_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netioddk.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Sets how the registrar behaves where the contract leaves it open: "key=value" pairs, separated by
 * commas, such as "mode=strict,irql=dispatch,report=print". What is not named has its default,
 * which for report is "collect": nothing is printed. To be called first, before anything registers;
 * without it the environment variable NMR_HOST_POLICY decides; if that is no policy, the first use of
 * the registrar prints the reason and ends the process with code 2. Returns whether the registrar has
 * this policy now, and prints the reason if the text is no policy.
 */
bool NMR_HOST_API nmr_host_set_policy(const char *policy);

/* How many reports there are. There are never more than 1000. */
size_t NMR_HOST_API nmr_host_report_count(void);

/*
 * Reads a report, the oldest with index 0. Stores the number of its rule, 43 for V-43, in *rule,
 * and its text in text, cut off to fit in size bytes and always ended with a zero if size is not 0.
 * rule and text may be NULL. Returns the length of the whole text without the
 * zero, or 0 if there is no such report, and then stores nothing but the zero.
 */
size_t NMR_HOST_API nmr_host_report(size_t index, uint32_t *rule, char *text, size_t size);

/*
 * How many reports there are that were not kept, or not handed to a function or printed, because memory
 * ran out or there were 1000 others. The first report for which there is no memory is kept.
 */
uint64_t NMR_HOST_API nmr_host_lost_report_count(void);

/* A report, as a function gets it. */
typedef struct {
    uint32_t rule;    /* 43 for V-43 */
    bool error;       /* whether it is an error; else it is a warning */
    const char *text; /* the whole text, valid until the function returns */
} NMR_HOST_REPORT;

typedef void NMR_HOST_API NMR_HOST_REPORT_FN(const NMR_HOST_REPORT *report, void *context);

/*
 * From now on, hands every report to a function as well, on the thread that broke the rule, which may
 * be any, and again when it repeats. NULL stops that.
 */
void NMR_HOST_API nmr_host_on_report(NMR_HOST_REPORT_FN *function, void *context);

/*
 * Gives a module a name for later reports. Returns whether the identifier is well-formed and the name
 * is not NULL.
 */
bool NMR_HOST_API nmr_host_name_module(const NPI_MODULEID *id, const char *name);

/* Forgets all reports. */
void NMR_HOST_API nmr_host_clear_reports(void);

/* How many registrations were not closed yet: both deregistered and waited for. */
size_t NMR_HOST_API nmr_host_registration_count(void);

/*
 * The last question of a test: reports every registration that was not closed, as V-73, and returns
 * how many reports there are in all, with those that are lost. 0 means that all is well.
 */
size_t NMR_HOST_API nmr_host_finish(void);

/* A dispatch table: its size in bytes, and how many functions it ends with. 0 and 0: there is none. */
struct nmr_host_table {
    size_t size;
    size_t functions;
};

/* An interface: its NPIID, and the tables of its two sides. */
struct nmr_host_interface {
    const void *npi;
    struct nmr_host_table client;
    struct nmr_host_table provider;
};

/*
 * Watches every call that the modules of an interface make to each other, in the bindings that are
 * made from now on: V-37 and V-48 to V-50 of docs/verifier.md. The modules get copies of each
 * other's tables, as long as declared here; for functions elsewhere see nmr_host_wrap_layout. closing_calls says whether a module may call its peer
 * between its detach callback and the end of its detach, covered by what it claimed before (a rundown
 * reference, say), to complete requests or to close what is open there. If not, such a call is an
 * error (V-48). Returns whether it works, and prints the reason if not: it needs x86-64 Linux.
 */
bool NMR_HOST_API nmr_host_wrap(const struct nmr_host_interface *watched, bool closing_calls);

/*
 * How long a structure is: so many bytes; or, if width is not 0, as many as it says itself in an unsigned
 * number of so many bytes at an offset. With all three 0 it is not known, and nothing of it is compared.
 */
struct nmr_host_extent {
    size_t bytes;
    size_t offset;
    size_t width;
};

/* A function pointer that the function at an offset of a table gets as an argument, one of the first four
 * from 0. In the convention of the system only integers and pointers count. */
struct nmr_host_callback {
    size_t function;
    size_t argument;
};

struct nmr_host_table_layout;

/* A pointer to another table, at an offset of a table. */
struct nmr_host_inner {
    size_t offset;
    const struct nmr_host_table_layout *table;
};

/* A dispatch table: the offsets of its functions, the tables behind it, and the callbacks in arguments. */
struct nmr_host_table_layout {
    struct nmr_host_extent size;
    const size_t *functions;
    size_t function_count;
    const struct nmr_host_inner *inner;
    size_t inner_count;
    const struct nmr_host_callback *callbacks;
    size_t callback_count;
};

/* What one side of an interface passes: its NpiSpecificCharacteristics, and its table, which may be NULL. */
struct nmr_host_side {
    struct nmr_host_extent characteristics;
    const struct nmr_host_table_layout *table;
};

/* An interface. native says that its functions are plain C functions and not NTAPI. */
struct nmr_host_layout {
    const void *npi;
    struct nmr_host_side client;
    struct nmr_host_side provider;
    bool native;
};

/*
 * Says how the structures of an interface look: whether a table is passed (V-31, V-32), and whether it and
 * the NpiSpecificCharacteristics stay as they are (V-34, V-11, with "memory=checked") as far as their length
 * is known. A structure may be a member of a larger allocation, whose other members are not looked at. The
 * second watches the calls, too, as nmr_host_wrap does: of functions at any offset, in tables behind
 * tables, and of callbacks, whose callee gets another address. Each returns whether that works, and prints
 * the reason if not.
 */
bool NMR_HOST_API nmr_host_declare(const struct nmr_host_layout *layout);
bool NMR_HOST_API nmr_host_wrap_layout(const struct nmr_host_layout *layout, bool closing_calls);

/*
 * Makes a call fail with a status, the n-th from now of NmrRegisterClient, NmrRegisterProvider and
 * NmrClientAttachProvider: 1 is the next one, and 0 takes it back. The call changes nothing then.
 * Returns whether the status is a failure; others are not taken. A loop that counts n up, until the
 * call that is to fail does not come any more, has failed each of them:
 *
 *     for (n = 1;; n++) {
 *         nmr_host_fail_call(n, STATUS_INSUFFICIENT_RESOURCES);
 *         ... load, attach, unload; then look at nmr_host_finish() ...
 *         if (nmr_host_will_fail_call()) break;
 *     }
 *     nmr_host_fail_call(0, STATUS_INSUFFICIENT_RESOURCES);
 */
bool NMR_HOST_API nmr_host_fail_call(uint64_t n, int32_t status);

/* Whether the call that is to fail is still to come. */
bool NMR_HOST_API nmr_host_will_fail_call(void);

/*
 * The quarantine: blocks with pages of their own, which are closed when a block is freed. With the
 * policy "memory=checked" the registrar knows who frees and touches what modules lend to it, and
 * reports it: V-12, V-34, V-39, V-51, V-56, V-60, V-61, V-63, V-80, V-85. A touch of a freed block
 * that breaks such a rule is reported, and the program goes on; any other touch ends it, after a
 * line on standard error.
 *
 * A module uses it for everything that it allocates if it defines NMR_HOST_QUARANTINE before it
 * includes this header, first of all: then its malloc and free are these two. On Linux only;
 * elsewhere, and when there are about 30,000 blocks, they are the ordinary ones.
 */
NMR_HOST_API void *nmr_host_allocate(size_t size);

/* Frees a block of nmr_host_allocate, of malloc, or none if it is NULL. */
void NMR_HOST_API nmr_host_free(void *block);

#ifdef NMR_HOST_QUARANTINE
#include <stdlib.h>
#define malloc nmr_host_allocate
#define free nmr_host_free
#endif

/*
 * The simulated IRQL of this thread: 0 is PASSIVE_LEVEL, as every thread begins, 1 is APC_LEVEL and
 * 2 DISPATCH_LEVEL. The registrar checks it. If the policy says so it raises it around callbacks,
 * and puts back what it found.
 */
uint8_t NMR_HOST_API nmr_host_irql(void);

/* Sets it, up or down. */
void NMR_HOST_API nmr_host_set_irql(uint8_t level);

/*
 * The rest is what a program tells the registrar because it cannot see it. All of it is optional.
 */

/*
 * To be called wherever the modules' environment stands in for a kernel service that blocks. Reports
 * V-52 if it is called at DISPATCH_LEVEL inside a detach or cleanup callback.
 */
void NMR_HOST_API nmr_host_may_block(void);

/*
 * The code at these addresses is about to go away, for example with dlclose. Reports V-79 for every
 * registration whose callbacks are there, and returns how many there are.
 */
size_t NMR_HOST_API nmr_host_unloading(const void *start, size_t size);

/*
 * Brackets around what a thread does in the code of a module, other than callbacks. The first is for
 * code that something keeps loaded meanwhile: an I/O work item references its device, and a function of
 * a dispatch table is called by a peer that waits for it. The second is for code that no reference keeps
 * loaded: a thread of the driver's own, a timer, a work item of ExQueueWorkItem. If a wait returns while
 * such a thread is still between the brackets in which it has completed a detach, that is V-83.
 */
void NMR_HOST_API nmr_host_enter(void);
void NMR_HOST_API nmr_host_enter_unreferenced(void);
void NMR_HOST_API nmr_host_leave(void);

/*
 * A lock of the modules, known by its address: a thread is about to take it and may block; it has it;
 * it has waited in vain; it gives it back. Needed for V-15, V-81 and a part of V-27.
 */
void NMR_HOST_API nmr_host_lock_acquiring(const void *lock);
void NMR_HOST_API nmr_host_lock_acquired(const void *lock);
void NMR_HOST_API nmr_host_lock_abandoned(const void *lock);
void NMR_HOST_API nmr_host_lock_released(const void *lock);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* NMR_HOST_H */
