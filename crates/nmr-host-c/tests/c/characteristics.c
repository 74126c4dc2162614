#include "check.h"
#include "checks.h"

#include <string.h>

/* What a module registers with, in both roles. */
struct subject {
    NPI_CLIENT_CHARACTERISTICS client;
    NPI_PROVIDER_CHARACTERISTICS provider;
    NPI_MODULEID id;
    bool no_characteristics;
    bool no_output;
};

static const NPIID nil_npi;

static void none(struct subject *subject)
{
    subject->no_characteristics = true;
}

static void no_output(struct subject *subject)
{
    subject->no_output = true;
}

static void version(struct subject *subject)
{
    subject->client.Version = subject->provider.Version = 1;
}

static void length_zero(struct subject *subject)
{
    subject->client.Length = subject->provider.Length = 0;
}

static void length_short(struct subject *subject)
{
    subject->client.Length = subject->provider.Length = sizeof(NPI_CLIENT_CHARACTERISTICS) - 1;
}

static void length_long(struct subject *subject)
{
    subject->client.Length = subject->provider.Length = sizeof(NPI_CLIENT_CHARACTERISTICS) + 8;
}

static void no_attach(struct subject *subject)
{
    subject->client.ClientAttachProvider = NULL;
    subject->provider.ProviderAttachClient = NULL;
}

static void no_detach(struct subject *subject)
{
    subject->client.ClientDetachProvider = NULL;
    subject->provider.ProviderDetachClient = NULL;
}

static void size_short(struct subject *subject)
{
    subject->client.ClientRegistrationInstance.Size = 32;
    subject->provider.ProviderRegistrationInstance.Size = 32;
}

static void size_long(struct subject *subject)
{
    subject->client.ClientRegistrationInstance.Size = 48;
    subject->provider.ProviderRegistrationInstance.Size = 48;
}

static void instance_version(struct subject *subject)
{
    subject->client.ClientRegistrationInstance.Version = 1;
    subject->provider.ProviderRegistrationInstance.Version = 1;
}

static void no_npi(struct subject *subject)
{
    subject->client.ClientRegistrationInstance.NpiId = NULL;
    subject->provider.ProviderRegistrationInstance.NpiId = NULL;
}

static void npi_of_zeros(struct subject *subject)
{
    subject->client.ClientRegistrationInstance.NpiId = &nil_npi;
    subject->provider.ProviderRegistrationInstance.NpiId = &nil_npi;
}

static void no_id(struct subject *subject)
{
    subject->client.ClientRegistrationInstance.ModuleId = NULL;
    subject->provider.ProviderRegistrationInstance.ModuleId = NULL;
}

static void id_length(struct subject *subject)
{
    subject->id.Length = 0;
}

static void id_type(struct subject *subject)
{
    memset(&subject->id.Type, 0, sizeof subject->id.Type);
}

enum verdict {
    REFUSED,
    REFUSED_IF_STRICT,
    ACCEPTED
};

static const struct {
    const char *name;
    void (*spoil)(struct subject *);
    unsigned rule;
    enum verdict verdict;
} faults[] = {
    {"characteristics NULL", none, 1, REFUSED},
    {"Version 1", version, 2, REFUSED_IF_STRICT},
    {"Length 0", length_zero, 3, REFUSED},
    {"Length 71", length_short, 3, REFUSED},
    {"Length 80", length_long, 3, ACCEPTED},
    {"attach callback NULL", no_attach, 4, REFUSED},
    {"detach callback NULL", no_detach, 4, REFUSED},
    {"instance Size 32", size_short, 5, REFUSED},
    {"instance Size 48", size_long, 5, ACCEPTED},
    {"instance Version 1", instance_version, 6, ACCEPTED},
    {"NpiId NULL", no_npi, 7, REFUSED},
    {"NpiId all zero", npi_of_zeros, 7, ACCEPTED},
    {"ModuleId NULL", no_id, 8, REFUSED_IF_STRICT},
    {"ModuleId Length 0", id_length, 8, REFUSED_IF_STRICT},
    {"ModuleId Type 0", id_type, 8, REFUSED_IF_STRICT},
    {"output NULL", no_output, 9, REFUSED},
};

static void spoil(struct subject *subject, void (*with)(struct subject *))
{
    memset(subject, 0, sizeof *subject);
    subject->client = client_characteristics;
    subject->provider = provider_characteristics;
    subject->id = client_id;
    subject->client.ClientRegistrationInstance.ModuleId = &subject->id;
    subject->provider.ProviderRegistrationInstance.ModuleId = &subject->id;
    with(subject);
}

/* Registers a client, and ends that again. */
static void try_client(const struct subject *subject, NTSTATUS expected)
{
    /* It has a binding already, as it sees it, so it declines every offer. */
    struct module module = {.binding = &module};
    HANDLE handle = &module;
    NTSTATUS status = NmrRegisterClient(subject->no_characteristics ? NULL : &subject->client,
                                        &module, subject->no_output ? NULL : &handle);
    check_status(expected, status);
    if (status == STATUS_SUCCESS) {
        check_status(STATUS_PENDING, NmrDeregisterClient(handle));
        check_status(STATUS_SUCCESS, NmrWaitForClientDeregisterComplete(handle));
    } else if (!subject->no_output) {
        check_that(handle == NULL, "the handle of a refused registration is NULL");
    }
}

/* The same for a provider. */
static void try_provider(const struct subject *subject, NTSTATUS expected)
{
    struct module module = {.binding = &module};
    HANDLE handle = &module;
    NTSTATUS status = NmrRegisterProvider(subject->no_characteristics ? NULL : &subject->provider,
                                          &module, subject->no_output ? NULL : &handle);
    check_status(expected, status);
    if (status == STATUS_SUCCESS) {
        check_status(STATUS_PENDING, NmrDeregisterProvider(handle));
        check_status(STATUS_SUCCESS, NmrWaitForProviderDeregisterComplete(handle));
    } else if (!subject->no_output) {
        check_that(handle == NULL, "the handle of a refused registration is NULL");
    }
}

void check_characteristics(bool strict, const struct pair *bystanders)
{
    for (size_t index = 0; index < 2 * (sizeof faults / sizeof faults[0]); index++) {
        static struct subject subject;
        bool client = index % 2 == 0;
        enum verdict verdict = faults[index / 2].verdict;
        bool refused = verdict == REFUSED || (verdict == REFUSED_IF_STRICT && strict);
        NTSTATUS expected = refused ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
        spoil(&subject, faults[index / 2].spoil);
        check_begin(client ? "NmrRegisterClient" : "NmrRegisterProvider", faults[index / 2].name);
        if (client) {
            try_client(&subject, expected);
        } else {
            try_provider(&subject, expected);
        }
        check_report(faults[index / 2].rule);
        check_that(pair_is_well(bystanders), "the bystanders are well");
        check_end();
    }
}
