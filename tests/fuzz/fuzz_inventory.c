/* The list of a unit's objects that is kept in the cluster, by which objects are removed: what is accepted names one object a line, never
 * all of a kind, and is the same when it is written again. */
#include <string.h>

#include "fuzz.h"
#include "targets/inventory.h"

static void check_word(const char *word)
{
    check(word[0] != '\0' && !strpbrk(word, " \n"));
}

static void write_lines(const gs_inventory *inventory, gs_buf *out)
{
    for (size_t i = 0; i < inventory->count; i++) {
        const gs_object_id *id = &inventory->items[i];
        check_word(id->api_version);
        check_word(id->kind);
        check_word(id->name);
        check(!strpbrk(id->namespace, " \n") && strcmp(id->namespace, "-") != 0);
        gs_buf_printf(out, "%s %s %s %s\n", id->api_version, id->kind, id->namespace[0] != '\0' ? id->namespace : "-", id->name);
    }
}

static void check_rewritten(const char *text, const gs_inventory *inventory, gs_arena *arena)
{
    gs_error err = {0};
    gs_inventory again;
    GS_AUTO_BUF gs_buf lines;
    gs_buf_init(&lines, SIZE_MAX);
    write_lines(inventory, &lines);
    check(strncmp(gs_buf_text(&lines), text, strlen(text)) == 0); /* a last line may have no end */
    check(gs_inventory_parse(gs_buf_text(&lines), arena, &again, &err) == 0 && again.count == inventory->count);
    for (size_t i = 0; i < again.count; i++) {
        check(gs_object_id_equal(&again.items[i], &inventory->items[i]) && gs_inventory_has(inventory, &again.items[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_error err = {0};
    gs_inventory inventory = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    const char *text = arena ? gs_arena_copy(arena, data, size) : NULL;
    check(text);
    if (gs_inventory_parse(text, arena, &inventory, &err) == 0) {
        check_rewritten(text, &inventory, arena);
    } else {
        check(err.code == GS_ESTATE);
    }
    return 0;
}
