/*
 * What a program may do to the registrar: too much, with bad pointers, at the end of its threads and of
 * itself, in children, with standard error gone. The argument names the case; a case that passes exits
 * with 0.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "modules.h"
#include "nmr_host.h"

#define CHECK(what)                                                                                \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            printf("line %d: not so: %s\n", __LINE__, #what);                                      \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* Registers a pair, uses it and takes it away. */
static bool cycle(void)
{
    struct pair *pair = calloc(1, sizeof *pair); /* a context must not be on a stack */
    bool well;
    pair_start(pair);
    well = pair_is_well(pair);
    well = pair_stop(pair) && well;
    free(pair);
    return well;
}

/* Modules that attach to all that there is. */
static NTSTATUS NTAPI attach_all(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE peer)
{
    PVOID provider;
    const VOID *dispatch;
    (void)peer;
    return NmrClientAttachProvider(binding, context, context, &provider, &dispatch);
}

static NTSTATUS NTAPI accept_all(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE peer,
                                 PVOID client, const VOID *client_dispatch, PVOID *provider,
                                 const VOID **dispatch)
{
    (void)binding;
    (void)peer;
    (void)client;
    (void)client_dispatch;
    *provider = context;
    *dispatch = context;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI detach_now(PVOID context)
{
    (void)context;
    return STATUS_SUCCESS;
}

/* More bindings than a lane of the registrar holds: a status, and all that there was goes on. */
static int limits(void)
{
    enum { CLIENTS = 1500 };
    static struct module clients[CLIENTS];
    static struct module providers[CLIENTS];
    NPI_CLIENT_CHARACTERISTICS client = client_characteristics;
    NPI_PROVIDER_CHARACTERISTICS provider = provider_characteristics;
    HANDLE handle = clients;
    NTSTATUS status = STATUS_SUCCESS;
    int made = 0;
    client.ClientAttachProvider = attach_all;
    client.ClientDetachProvider = detach_now;
    client.ClientCleanupBindingContext = NULL;
    provider.ProviderAttachClient = accept_all;
    provider.ProviderDetachClient = detach_now;
    provider.ProviderCleanupBindingContext = NULL;
    CHECK(nmr_host_set_policy("verify=light,sharing=ignored"));
    for (int i = 0; i < CLIENTS; i++)
        CHECK(NmrRegisterClient(&client, &clients[i], &clients[i].handle) == 0);
    while (made < CLIENTS && status == STATUS_SUCCESS) {
        status = NmrRegisterProvider(&provider, &providers[made], &handle);
        if (status == STATUS_SUCCESS)
            providers[made++].handle = handle;
    }
    CHECK(status == STATUS_INSUFFICIENT_RESOURCES);
    CHECK(handle == NULL);
    CHECK(made == (1 << 21) / CLIENTS);
    CHECK(nmr_host_report_count() == 0);
    CHECK(nmr_host_registration_count() == CLIENTS + (size_t)made);
    /* One that leaves makes room for one. */
    CHECK(NmrDeregisterProvider(providers[0].handle) == STATUS_PENDING);
    CHECK(NmrWaitForProviderDeregisterComplete(providers[0].handle) == STATUS_SUCCESS);
    CHECK(NmrRegisterProvider(&provider, &providers[0], &handle) == 0);
    CHECK(NmrRegisterProvider(&provider, &providers[0], &handle) ==
          STATUS_INSUFFICIENT_RESOURCES);
    return 0;
}

/* A pointer to anything, at an odd address. */
#define ODD(type, place) ((type *)((char *)(place) + 1))

static int pointers(void)
{
    static char space[4][128];
    static char name[] = "a name";
    static struct module module;
    NPI_CLIENT_CHARACTERISTICS characteristics = client_characteristics;
    struct nmr_host_interface interface = {NULL, {0, 0}, {0, 0}};
    HANDLE handle;
    uint32_t rule = 0;
    char text[8];
    CHECK(nmr_host_set_policy("report=collect"));

    /* Misaligned: x86 lets a module do that, and so does the registrar. */
    memcpy(ODD(char, space[0]), &npi, sizeof npi);
    memcpy(ODD(char, space[1]), &client_id, sizeof client_id);
    characteristics.ClientRegistrationInstance.NpiId = ODD(NPIID, space[0]);
    characteristics.ClientRegistrationInstance.ModuleId = ODD(NPI_MODULEID, space[1]);
    memcpy(ODD(char, space[2]), &characteristics, sizeof characteristics);
    CHECK(NmrRegisterClient(ODD(NPI_CLIENT_CHARACTERISTICS, space[2]), &module,
                            ODD(HANDLE, space[3])) == STATUS_SUCCESS);
    memcpy(&handle, ODD(char, space[3]), sizeof handle);
    CHECK(NmrDeregisterClient(handle) == STATUS_PENDING);
    CHECK(NmrWaitForClientDeregisterComplete(handle) == STATUS_SUCCESS);
    CHECK(nmr_host_name_module(ODD(NPI_MODULEID, space[1]), name));
    CHECK(nmr_host_report_count() == 0);

    /* NULL everywhere. */
    CHECK(NmrRegisterClient(NULL, NULL, NULL) == STATUS_INVALID_PARAMETER);
    CHECK(NmrRegisterProvider(NULL, NULL, NULL) == STATUS_INVALID_PARAMETER);
    CHECK(NmrDeregisterClient(NULL) == STATUS_INVALID_PARAMETER);
    CHECK(NmrDeregisterProvider(NULL) == STATUS_INVALID_PARAMETER);
    CHECK(NmrWaitForClientDeregisterComplete(NULL) == STATUS_INVALID_PARAMETER);
    CHECK(NmrWaitForProviderDeregisterComplete(NULL) == STATUS_INVALID_PARAMETER);
    CHECK(NmrClientAttachProvider(NULL, NULL, NULL, NULL, NULL) == STATUS_INVALID_PARAMETER);
    NmrClientDetachProviderComplete(NULL);
    NmrProviderDetachClientComplete(NULL);
    CHECK(!nmr_host_set_policy(NULL));
    CHECK(!nmr_host_name_module(NULL, name));
    CHECK(!nmr_host_name_module(&client_id, NULL));
    CHECK(!nmr_host_wrap(NULL, false));
    CHECK(!nmr_host_wrap(&interface, false));
    nmr_host_on_report(NULL, NULL);
    nmr_host_free(NULL);
    nmr_host_lock_acquiring(NULL);
    nmr_host_lock_acquired(NULL);
    nmr_host_lock_abandoned(NULL);
    nmr_host_lock_released(NULL);
    nmr_host_lock_released(NULL);
    CHECK(nmr_host_unloading(NULL, 0) == 0);
    CHECK(nmr_host_unloading(NULL, SIZE_MAX) == 0);
    CHECK(nmr_host_unloading((void *)UINTPTR_MAX, SIZE_MAX) == 0);

    /* Reports: sizes and indices that cannot be meant. */
    CHECK(nmr_host_report_count() > 0);
    CHECK(nmr_host_report(0, NULL, NULL, 0) > 20);
    CHECK(nmr_host_report(0, NULL, NULL, SIZE_MAX) > 20);
    CHECK(nmr_host_report(0, ODD(uint32_t, space[0]), text, 1) > 20 && text[0] == 0);
    CHECK(nmr_host_report(0, &rule, text, sizeof text) > 20 && strlen(text) == sizeof text - 1);
    CHECK(rule != 0);
    memset(text, 'x', sizeof text);
    CHECK(nmr_host_report(SIZE_MAX, &rule, text, sizeof text) == 0 && text[0] == 0);

    /* Tables that no interface has. */
    interface.npi = &npi;
    interface.provider.size = SIZE_MAX - 7;
    CHECK(!nmr_host_wrap(&interface, false));
    interface.provider.size = 8;
    interface.provider.functions = SIZE_MAX;
    CHECK(!nmr_host_wrap(&interface, false));

    /* Brackets that do not match, levels that do not exist, calls that never fail. */
    nmr_host_leave();
    nmr_host_leave();
    nmr_host_enter();
    nmr_host_set_irql(255);
    nmr_host_may_block();
    nmr_host_set_irql(0);
    nmr_host_fail_call(UINT64_MAX, STATUS_INSUFFICIENT_RESOURCES);
    nmr_host_fail_call(0, STATUS_INSUFFICIENT_RESOURCES);
    nmr_host_clear_reports();
    CHECK(cycle());
    CHECK(nmr_host_finish() == 0 && nmr_host_lost_report_count() == 0);
    CHECK(nmr_host_allocate(SIZE_MAX) == NULL && nmr_host_allocate(SIZE_MAX - 65536) == NULL);
    nmr_host_free(nmr_host_allocate(0));
    return 0;
}

/* A key of a thread, whose destructor runs when the thread locals of the registrar are gone. */
static pthread_key_t key;
static int cycles;

static void at_end(void *unused)
{
    (void)unused;
    cycles += cycle();
}

static void *use_and_end(void *unused)
{
    (void)unused;
    pthread_setspecific(key, &key);
    cycles += cycle();
    return NULL;
}

static void at_exit(void)
{
    if (!cycle() || nmr_host_finish() != 0)
        _exit(1);
}

static int ends(void)
{
    pthread_t thread;
    CHECK(pthread_key_create(&key, at_end) == 0);
    CHECK(pthread_create(&thread, NULL, use_and_end, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(cycles == 2);
    CHECK(atexit(at_exit) == 0);
    CHECK(cycle());
    return 0;
}

/* Runs something in a child. Returns whether it succeeded, and did not hang. */
static bool in_child(bool (*run)(void))
{
    int status = 0;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(60);
        _exit(run() ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child);
    if (status != 0)
        printf("child: status %#x\n", (unsigned)status);
    return status == 0;
}

static struct pair inherited;

/* The child ends what its parent has begun, with the registrar that it has a copy of. */
static bool end_inherited(void)
{
    return pair_is_well(&inherited) && pair_stop(&inherited) && cycle() &&
           nmr_host_finish() == 0;
}

static atomic_bool stop;

static void *use_always(void *unused)
{
    (void)unused;
    while (!atomic_load(&stop)) {
        struct module client;
        memset(&client, 0, sizeof client);
        NmrRegisterClient(&client_characteristics, &client, &client.handle);
        NmrDeregisterClient(client.handle);
        NmrWaitForClientDeregisterComplete(client.handle);
        NmrDeregisterClient(NULL); /* and reports */
        nmr_host_clear_reports();
    }
    return NULL;
}

/* A provider of the child's own: the clients of the threads that it does not have may be there. */
static bool use_in_child(void)
{
    static struct module client;
    static struct module provider;
    return NmrRegisterClient(&client_characteristics, &client, &client.handle) == 0 &&
           NmrRegisterProvider(&provider_characteristics, &provider, &provider.handle) == 0 &&
           NmrDeregisterClient(client.handle) == STATUS_PENDING &&
           NmrWaitForClientDeregisterComplete(client.handle) == 0 &&
           NmrDeregisterProvider(provider.handle) == STATUS_PENDING &&
           NmrWaitForProviderDeregisterComplete(provider.handle) == 0;
}

static int forks(void)
{
    pthread_t threads[3];
    pair_start(&inherited);
    CHECK(in_child(end_inherited));
    CHECK(end_inherited());
    CHECK(in_child(cycle));
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, use_always, NULL) == 0);
    for (int i = 0; i < 100; i++)
        CHECK(in_child(use_in_child));
    atomic_store(&stop, true);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    return 0;
}

/* A report is printed, wherever standard error leads. */
static int report(void)
{
    CHECK(NmrDeregisterClient(NULL) == STATUS_INVALID_PARAMETER);
    CHECK(nmr_host_report_count() == 1);
    return 0;
}

static int full(void)
{
    CHECK(dup2(open("/dev/full", O_WRONLY), 2) == 2);
    return report();
}

static int closed(void)
{
    CHECK(close(2) == 0);
    return report();
}

static int pipe_without_reader(void)
{
    int ends_of_pipe[2];
    CHECK(pipe(ends_of_pipe) == 0);
    CHECK(dup2(ends_of_pipe[1], 2) == 2);
    CHECK(close(ends_of_pipe[0]) == 0);
    return report();
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } cases[] = {
        {"limits", limits}, {"pointers", pointers}, {"ends", ends},
        {"forks", forks},   {"full", full},         {"closed", closed},
        {"pipe", pipe_without_reader},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (count == 2 && strcmp(arguments[1], cases[i].name) == 0)
            return cases[i].run();
    }
    return 2;
}
