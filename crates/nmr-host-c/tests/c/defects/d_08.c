/*
 * A client of one provider at a time that forgets its provider before it deregisters. An offer that
 * comes between the two finds it free. No rule of the NMR is broken; the client is, and only in one of
 * the three places where the second provider can come.
 */
#include "defects.h"

#include <string.h>

static struct {
    HANDLE handle;
    PVOID provider; /* the one in use */
    unsigned attached;
} client;

/* The second provider. */
static const NPI_MODULEID second_id = {
    .Length = sizeof(NPI_MODULEID),
    .Type = MIT_IF_LUID,
    .IfLuid = {23, 0},
};
static NPI_PROVIDER_CHARACTERISTICS second_characteristics;
static struct module second;

static NTSTATUS NTAPI attach(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE provider)
{
    const VOID *dispatch;
    PVOID provider_context;
    NTSTATUS status;
    UNREFERENCED_PARAMETER(provider);
    if (client.provider != NULL) {
        return STATUS_NOINTERFACE;
    }
    status = NmrClientAttachProvider(binding, context, NULL, &provider_context, &dispatch);
    if (status == STATUS_SUCCESS) {
        client.provider = provider_context;
        client.attached++;
    }
    return status;
}

static NTSTATUS NTAPI detach(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    client.attached--;
    return STATUS_SUCCESS;
}

/* The other thread, which may run at any of these places. */
static unsigned turn;
static unsigned others_turn;

static void place(void)
{
    if (turn++ == others_turn) {
        memset(&second, 0, sizeof second);
        NmrRegisterProvider(&second_characteristics, &second, &second.handle);
        if (client.attached > 1) {
            printf("%u providers at once\n", client.attached);
        }
    }
}

static void stop(void)
{
    place();
    client.provider = NULL;
    place();
    NmrDeregisterClient(client.handle);
    place();
    NmrWaitForClientDeregisterComplete(client.handle);
}

void d_08(void)
{
    static NPI_CLIENT_CHARACTERISTICS characteristics;
    static struct module first;
    characteristics = client_with(attach, detach);
    second_characteristics = provider_characteristics;
    second_characteristics.ProviderRegistrationInstance.ModuleId = &second_id;
    for (others_turn = 0; others_turn < 3; others_turn++) {
        turn = 0;
        memset(&client, 0, sizeof client);
        provider_start(&first);
        NmrRegisterClient(&characteristics, &client, &client.handle);
        printf("the second comes at place %u\n", others_turn);
        stop();
        provider_stop(&first);
        provider_stop(&second);
    }
}
