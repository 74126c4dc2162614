/*
 * The two modules, for the program that they are in. Each is started, closed once and freed;
 * between the last two it ends, and freeing waits for that. Any number of each can be started.
 *
 * These functions have the ordinary C convention. src/client.rs and src/provider.rs declare them
 * for Rust.
 */
#ifndef MODULES_H
#define MODULES_H

#include <stdint.h>

#include "exnpi.h"

/*
 * Told a value, on the thread of the call that brings it. `context` is what was given at the start.
 */
typedef void (*exnpi_c_listener)(void *context, uint32_t value);

struct exnpi_c_client;
struct exnpi_c_provider;

/* Registers a client. `changed` is told each sum that a provider sends. */
NTSTATUS exnpi_c_client_start(exnpi_c_listener changed, void *context,
                              struct exnpi_c_client **client);

/* Sends a value to the provider, if there is one: else returns STATUS_NOINTERFACE. */
NTSTATUS exnpi_c_client_add(struct exnpi_c_client *client, uint32_t value, uint32_t *sum);

/* Begins to deregister. The other functions may still be called. */
NTSTATUS exnpi_c_client_close(struct exnpi_c_client *client);

/* Waits for the end and frees the client, which is not used afterwards. */
NTSTATUS exnpi_c_client_free(struct exnpi_c_client *client);

/*
 * Registers a provider. `added` is told each value that a client sends, before the client is
 * answered.
 */
NTSTATUS exnpi_c_provider_start(exnpi_c_listener added, void *context,
                                struct exnpi_c_provider **provider);

/* As for a client. */
NTSTATUS exnpi_c_provider_close(struct exnpi_c_provider *provider);
NTSTATUS exnpi_c_provider_free(struct exnpi_c_provider *provider);

#endif
