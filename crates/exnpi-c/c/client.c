/* The EXNPI client: uses one provider at a time, from any thread. */
#include "calls.h"
#include "memory.h"
#include "modules.h"

/* The client's part of a binding. It is complete before the provider sees it. */
struct session {
    struct exnpi_c_client *client;
    HANDLE binding;
    /* Set before `calls` are open. */
    PVOID provider_context;
    const EXNPI_PROVIDER_DISPATCH *provider;
    struct calls calls;
};

/* A registration. The NMR and the providers read the first two while it is registered. */
struct exnpi_c_client {
    NPI_CLIENT_CHARACTERISTICS characteristics;
    EXNPI_CLIENT_CHARACTERISTICS about;
    HANDLE handle;
    exnpi_c_listener changed;
    void *listener;
    struct lock lock;
    struct session *session; /* the one in use, under `lock` */
};

static NPI_CLIENT_ATTACH_PROVIDER_FN attach_provider;
static NPI_CLIENT_DETACH_PROVIDER_FN detach_provider;
static NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN clean_up;

/* {f8bf1eb7-4a74-4b0b-9aa6-1c2bbd7b1f31} */
static const NPI_MODULEID module_id = {
    .Length = sizeof(NPI_MODULEID),
    .Type = MIT_GUID,
    .Guid = {0xf8bf1eb7, 0x4a74, 0x4b0b, {0x9a, 0xa6, 0x1c, 0x2b, 0xbd, 0x7b, 0x1f, 0x31}},
};

static const NPI_CLIENT_CHARACTERISTICS characteristics = {
    .Length = sizeof(NPI_CLIENT_CHARACTERISTICS),
    .ClientAttachProvider = attach_provider,
    .ClientDetachProvider = detach_provider,
    .ClientCleanupBindingContext = clean_up,
    .ClientRegistrationInstance =
        {
            .Size = sizeof(NPI_REGISTRATION_INSTANCE),
            .NpiId = &EXNPI_NPIID,
            .ModuleId = &module_id,
        },
};

static VOID NTAPI changed(PVOID context, ULONG sum)
{
    const struct session *session = context;
    session->client->changed(session->client->listener, sum);
}

static const EXNPI_CLIENT_DISPATCH dispatch = {changed};

/* Makes a session the one in use, unless there is one. */
static bool claim(struct session *session)
{
    struct exnpi_c_client *client = session->client;
    bool free;
    lock_acquire(&client->lock);
    free = client->session == NULL;
    if (free) {
        client->session = session;
    }
    lock_release(&client->lock);
    return free;
}

/* Ends that. */
static void release(struct session *session)
{
    lock_acquire(&session->client->lock);
    session->client->session = NULL;
    lock_release(&session->client->lock);
}

/* Attaches with a session that was claimed. */
static NTSTATUS attach(struct session *session)
{
    PVOID provider_context = NULL;
    const VOID *provider = NULL;
    NTSTATUS status = NmrClientAttachProvider(session->binding, session, &dispatch,
                                              &provider_context, &provider);
    if (status == STATUS_SUCCESS) {
        session->provider_context = provider_context;
        session->provider = provider;
        calls_open(&session->calls);
    }
    return status;
}

/* The detach callback comes after this has returned, so the session is there all the time. */
static NTSTATUS NTAPI attach_provider(HANDLE binding, PVOID context,
                                      PNPI_REGISTRATION_INSTANCE instance)
{
    const EXNPI_PROVIDER_CHARACTERISTICS *about = instance->NpiSpecificCharacteristics;
    struct session *session;
    NTSTATUS status;
    if (about == NULL || about->Version != EXNPI_VERSION) {
        return STATUS_NOINTERFACE;
    }
    session = memory_allocate(sizeof *session);
    if (session == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    session->client = context;
    session->binding = binding;
    calls_init(&session->calls);
    if (!claim(session)) {
        memory_free(session);
        return STATUS_NOINTERFACE;
    }
    status = attach(session);
    if (status != STATUS_SUCCESS) {
        release(session);
        memory_free(session);
    }
    return status;
}

static NTSTATUS NTAPI detach_provider(PVOID context)
{
    struct session *session = context;
    release(session);
    return calls_close(&session->calls);
}

static VOID NTAPI clean_up(PVOID context)
{
    memory_free(context);
}

NTSTATUS exnpi_c_client_start(exnpi_c_listener listen, void *context,
                              struct exnpi_c_client **started)
{
    struct exnpi_c_client *client = memory_allocate(sizeof *client);
    NTSTATUS status;
    if (client == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    client->characteristics = characteristics;
    client->characteristics.ClientRegistrationInstance.NpiSpecificCharacteristics = &client->about;
    client->about.Version = EXNPI_VERSION;
    client->changed = listen;
    client->listener = context;
    lock_init(&client->lock);
    status = NmrRegisterClient(&client->characteristics, client, &client->handle);
    if (status != STATUS_SUCCESS) {
        memory_free(client);
        return status;
    }
    *started = client;
    return STATUS_SUCCESS;
}

/*
 * Begins a call into the provider in use. The lock keeps its session from being cleaned up
 * meanwhile.
 */
static struct session *enter(struct exnpi_c_client *client)
{
    struct session *session;
    lock_acquire(&client->lock);
    session = client->session;
    if (session != NULL && !calls_enter(&session->calls)) {
        session = NULL;
    }
    lock_release(&client->lock);
    return session;
}

/* Ends it. The NMR may clean up the session inside the completion. */
static void leave(struct session *session)
{
    if (calls_leave(&session->calls)) {
        NmrClientDetachProviderComplete(session->binding);
    }
}

NTSTATUS exnpi_c_client_add(struct exnpi_c_client *client, uint32_t value, uint32_t *sum)
{
    struct session *session = enter(client);
    if (session == NULL) {
        return STATUS_NOINTERFACE;
    }
    *sum = session->provider->Add(session->provider_context, value);
    leave(session);
    return STATUS_SUCCESS;
}

NTSTATUS exnpi_c_client_close(struct exnpi_c_client *client)
{
    return NmrDeregisterClient(client->handle);
}

NTSTATUS exnpi_c_client_free(struct exnpi_c_client *client)
{
    NTSTATUS status = NmrWaitForClientDeregisterComplete(client->handle);
    if (status == STATUS_SUCCESS) {
        memory_free(client);
    }
    return status;
}
