/* Makes one mistake, named by the argument, and prints the rules that were reported, in order. */
#include "defects.h"

#include <string.h>

static const struct {
    const char *name;
    void (*make)(void);
} defects[] = {
    {"d_01", d_01}, {"d_02", d_02}, {"d_03", d_03},
    {"d_04", d_04}, {"d_06", d_06}, {"d_07", d_07},
    {"d_08", d_08}, {"d_09", d_09}, {"d_10", d_10},
    {"d_11", d_11},
};

int main(int argc, char **argv)
{
    size_t index;
    size_t count = sizeof defects / sizeof defects[0];
    if (argc != 3 || !nmr_host_set_policy(argv[2])) {
        return 2;
    }
    for (index = 0; index < count && strcmp(defects[index].name, argv[1]) != 0; index++) {
    }
    if (index == count) {
        return 2;
    }
    defects[index].make();
    count = nmr_host_finish();
    for (index = 0; index < count; index++) {
        uint32_t rule = 0;
        nmr_host_report(index, &rule, NULL, 0);
        printf("V-%02u\n", (unsigned)rule);
    }
    return 0;
}
