/* standalone.c - runs a fuzzer's function over files, so that the corpus is a
 * test with any compiler: PROGRAM FOLDER */
#include "check.h"
#include <dirent.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *folder;

static void run_file(const char *name)
{
    char path[1000];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    uint8_t *data = malloc(65536);
    size_t size = fread(data, 1, 65536, file);
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

static void run_folder(void)
{
    size_t files = 0;
    struct dirent *entry;
    DIR *dir = opendir(folder);
    CHECK(dir != NULL);
    while ((entry = readdir(dir)))
        if (*entry->d_name != '.') {
            run_file(entry->d_name);
            files++;
        }
    closedir(dir);
    CHECK(files > 0);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = { { "the fuzzer's corpus", run_folder } };
    if (argc != 2)
        return 2;
    folder = argv[1];
    return RUN_CASES_ON_THREAD(cases); /* ancillary data closes the descriptors whose numbers it holds */
}
