/* Files with credentials, and after a line "====" what a credential helper answers: docker's config.json, containers' auth.json, or
 * a line. What is found fits into them, is the same every time, and a helper is a program of its own name. */
#include <string.h>

#include "fuzz.h"
#include "gapship/proc.h"
#include "gapship/registry.h"
#include "gapship/text.h"
#include "scratch.h"

#define SEPARATOR "\n====\n"

static const uint8_t *helper_says;
static size_t helper_says_len;

/* Instead of gs_proc_run: the helper that would be run answers with what the input says. */
int __wrap_gs_proc_run(const gs_run *run, const gs_proc *proc, gs_proc_result *result, gs_error *err);

int __wrap_gs_proc_run(const gs_run *run, const gs_proc *proc, gs_proc_result *result, gs_error *err)
{
    static const char prefix[] = "docker-credential-";
    (void)run;
    check(gs_text_starts(proc->argv[0], prefix) && gs_name_valid(proc->argv[0] + sizeof prefix - 1));
    check(strcmp(proc->argv[1], "get") == 0 && !proc->argv[2]);
    *result = (gs_proc_result){.status = helper_says_len % 7 == 0 ? 1 : 0};
    gs_buf_init(&result->output, proc->max_output);
    gs_buf_init(&result->errors, 1024);
    gs_buf_add(&result->output, helper_says, helper_says_len);
    return gs_buf_check(&result->output, err);
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void check_text(const char *text, size_t size)
{
    check(!text || strlen(text) <= size);
}

static void check_read(const char *path, const char *host, const char *repository, size_t size)
{
    gs_error err = {0};
    gs_credentials first = {0};
    gs_credentials second = {0};
    if (gs_credentials_read(NULL, path, host, repository, &first, &err) != 0) {
        check(err.code != 0 && !first.user && !first.password && !first.identity_token && !first.registry_token);
        return;
    }
    check_text(first.user, size);
    check_text(first.password, size);
    check_text(first.identity_token, size);
    check_text(first.registry_token, size);
    check(gs_credentials_read(NULL, path, host, repository, &second, &err) == 0);
    check(same(first.user, second.user) && same(first.password, second.password));
    check(same(first.identity_token, second.identity_token) && same(first.registry_token, second.registry_token));
    gs_credentials_done(&first);
    gs_credentials_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[SCRATCH_PATH];
    const uint8_t *line = memmem(data, size, SEPARATOR, sizeof SEPARATOR - 1);
    size_t file_size = line ? (size_t)(line - data) : size;
    helper_says = line ? line + sizeof SEPARATOR - 1 : data;
    helper_says_len = line ? size - file_size - (sizeof SEPARATOR - 1) : 0;
    scratch_write("config.json", data, file_size, path);
    check_read(path, "docker.io", "library/app", size);
    check_read(path, "registry.example:5000", "org/app", size);
    return 0;
}
