/* Loads and unloads the driver of plain.c, and prints the rules that were reported. */
#include <stdio.h>

#include <nmr_host.h>
#include <nmr_kernel.h>
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

static void listen(const NMR_HOST_REPORT *report, void *context)
{
    (void)context;
    printf("%s\n", report->text);
}

int main(void)
{
    static DRIVER_OBJECT driver;
    UNICODE_STRING path = RTL_CONSTANT_STRING(L"\\plain");
    nmr_host_set_policy("mode=strict");
    nmr_host_on_report(listen, NULL);
    if (DriverEntry(&driver, &path) != STATUS_SUCCESS) {
        return 1;
    }
    driver.DriverUnload(&driver);
    printf("%zu reports, %zu blocks\n", nmr_host_finish(), nmr_kernel_finish());
    return 0;
}
