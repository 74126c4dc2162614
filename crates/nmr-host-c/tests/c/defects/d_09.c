/*
 * A client whose last call completes the detach and then goes on in the client's code. Nothing keeps
 * the client from being unloaded meanwhile.
 */
#include <pthread.h>

#include "defects.h"

static struct module client;

static void *unload(void *unused)
{
    NmrWaitForClientDeregisterComplete(client.handle);
    return unused;
}

/* A thread of the client, which references nothing. */
static void last_call_ended(void)
{
    pthread_t other;
    nmr_host_enter_unreferenced();
    NmrClientDetachProviderComplete(client.binding);
    /* Here the other thread is faster. */
    pthread_create(&other, NULL, unload, NULL);
    pthread_join(other, NULL);
    nmr_host_leave();
}

void d_09(void)
{
    static struct module provider;
    provider_start(&provider);
    client_start(&client);
    client.pends = true;
    NmrDeregisterClient(client.handle);
    last_call_ended();
    provider_stop(&provider);
}
