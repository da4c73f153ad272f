/* A file of input values: what is accepted are names, each once, with texts, and reads the same when each of their characters is written as
 * an escape. With one more value behind it, what is refused is refused without a word of that value. */
#include <string.h>

#include "fuzz.h"
#include "gapship/limits.h"
#include "gapship/site.h"
#include "gapship/text.h"
#include "scratch.h"

#define SECRET "xyzzy-9f86d081"

static void check_inputs(const gs_text_map *inputs, size_t size)
{
    check(inputs->count <= size);
    for (size_t i = 0; i < inputs->count; i++) {
        const gs_text_pair *pair = &inputs->items[i];
        check(gs_text_is_utf8(pair->key, strlen(pair->key)) && gs_text_is_utf8(pair->value, strlen(pair->value)));
        for (size_t j = 0; j < i && inputs->count < 100; j++) {
            check(strcmp(pair->key, inputs->items[j].key) != 0);
        }
    }
}

/* The code point that begins here, in text that is UTF-8. */
static unsigned code_point(const char **text)
{
    const unsigned char *at = (const unsigned char *)*text;
    size_t more = *at < 0x80 ? 0 : *at < 0xe0 ? 1 : *at < 0xf0 ? 2 : 3;
    unsigned point = more == 0 ? *at : *at & (0x3fu >> more);
    for (size_t i = 1; i <= more; i++) {
        point = point << 6 | (at[i] & 0x3fu);
    }
    *text += more + 1;
    return point;
}

static void write_text(gs_buf *out, const char *before, const char *text)
{
    gs_buf_printf(out, "%s \"", before);
    while (*text != '\0') {
        gs_buf_printf(out, "\\U%08x", code_point(&text));
    }
    gs_buf_add_text(out, "\"\n");
}

static void check_rewritten(const gs_text_map *inputs, gs_arena *arena)
{
    gs_error err = {0};
    gs_text_map again = {0};
    char path[SCRATCH_PATH];
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_SPEC_BYTES);
    gs_buf_add_text(&text, inputs->count == 0 ? "{}" : "");
    for (size_t i = 0; i < inputs->count; i++) {
        write_text(&text, "?", inputs->items[i].key);
        write_text(&text, ":", inputs->items[i].value);
    }
    if (text.failed) { /* too long by its escapes */
        return;
    }
    scratch_write("again.yaml", text.data, text.len, path);
    check(gs_site_inputs_load(path, arena, &again, &err) == 0 && again.count == inputs->count);
    for (size_t i = 0; i < again.count; i++) {
        check(strcmp(again.items[i].key, inputs->items[i].key) == 0 && strcmp(again.items[i].value, inputs->items[i].value) == 0);
    }
}

static void check_accepted(const uint8_t *data, size_t size)
{
    gs_error err = {0};
    gs_text_map inputs = {0};
    char path[SCRATCH_PATH];
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    scratch_write("inputs.yaml", data, size, path);
    check(arena);
    if (gs_site_inputs_load(path, arena, &inputs, &err) == 0) {
        check_inputs(&inputs, size);
        check_rewritten(&inputs, arena);
    } else {
        check(err.code == GS_ESPEC || err.code == GS_ELIMIT);
    }
}

static void check_secret(const uint8_t *data, size_t size)
{
    static const char secret[] = "\nTAIL: '" SECRET "'\n";
    gs_error err = {0};
    gs_text_map inputs = {0};
    char path[SCRATCH_PATH];
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, SIZE_MAX);
    gs_buf_add(&text, data, size);
    gs_buf_add_text(&text, secret);
    check(arena && !text.failed);
    scratch_write("secret.yaml", text.data, text.len, path);
    if (gs_site_inputs_load(path, arena, &inputs, &err) < 0) {
        check(!strstr(err.message, SECRET) && !strstr(err.where, SECRET) && !strstr(err.hint, SECRET));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_accepted(data, size);
    if (!memmem(data, size, SECRET, sizeof SECRET - 1)) { /* there it might be a name */
        check_secret(data, size);
    }
    return 0;
}
