/* A test that deregisters its module and ends. */
#include "defects.h"

void d_10(void)
{
    static struct module provider;
    provider_start(&provider);
    NmrDeregisterProvider(provider.handle);
}
