/*
 * Loads and unloads the drivers of two modules, in both orders of each, and prints what was reported, a
 * report a line. `main POLICY [wrap]`; with `wrap` the calls into the client are
 * watched.
 */
#include <stdio.h>
#include <string.h>

#include <nmr_host.h>
#include <nmr_kernel.h>

#include "shapes.h"

DRIVER_INITIALIZE FirstEntry, SecondEntry;
/* The third driver, of the second interface, and the data paths, where there are any. */
__attribute__((weak)) DRIVER_INITIALIZE ThirdEntry;
__attribute__((weak)) VOID NTAPI FirstExercise(VOID);
__attribute__((weak)) VOID NTAPI SecondExercise(VOID);

static DRIVER_OBJECT drivers[3];
static DRIVER_INITIALIZE *const entries[3] = {FirstEntry, SecondEntry, ThirdEntry};

static void load(int index)
{
    UNICODE_STRING path = RTL_CONSTANT_STRING(L"\\Registry\\Machine\\Shape");
    if (entries[index](&drivers[index], &path) != STATUS_SUCCESS) {
        printf("driver %d does not load\n", index + 1);
        drivers[index].DriverUnload = NULL;
    }
}

static void unload(int index)
{
    if (drivers[index].DriverUnload != NULL) {
        drivers[index].DriverUnload(&drivers[index]);
        drivers[index].DriverUnload = NULL;
    }
}

static void exercise(void)
{
    if (FirstExercise != NULL && drivers[0].DriverUnload != NULL) {
        FirstExercise();
    }
    if (SecondExercise != NULL && drivers[1].DriverUnload != NULL) {
        SecondExercise();
    }
}

static void print_reports(void)
{
    char text[2000];
    size_t i;
    uint32_t rule;
    for (i = 0; nmr_host_report(i, &rule, text, sizeof text) != 0; i++) {
        printf("%s\n", text);
    }
}

int main(int count, char **arguments)
{
    static const GUID id = {0x05, 0x1234, 0x4321, {0}};
    const struct nmr_host_interface interface = {
        &SHAPE_NPIID, {sizeof(CLIENT_TABLE), 1}, {0, 0}};
    int run;
    setvbuf(stdout, NULL, _IONBF, 0);
    if (count < 2 || !nmr_host_set_policy(arguments[1])) {
        return 2;
    }
    if (count > 2 && strcmp(arguments[2], "wrap") == 0 && !nmr_host_wrap(&interface, false)) {
        return 2;
    }
    nmr_kernel_set_registry_value(L"\\Registry\\Machine\\Shape\\Parameters", L"NpiModuleId", REG_BINARY,
                                  &id, sizeof id);
    if (ThirdEntry != NULL) {
        load(2);
    }
    for (run = 0; run < 4; run++) {
        load(run & 1);
        exercise();
        load(!(run & 1));
        exercise();
        unload(run >> 1);
        unload(!(run >> 1));
        nmr_kernel_drain();
    }
    if (ThirdEntry != NULL) {
        unload(2);
    }
    nmr_host_finish();
    print_reports();
    printf("%zu blocks\n", nmr_kernel_finish());
    return 0;
}
