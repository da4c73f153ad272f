/* The names of one archive, compared once it is read: by sorting, which no choice of names makes slow. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

int gs_names_add(gs_names *names, const char *text, bool directory, gs_error *err)
{
    if (!names->arena && !(names->arena = gs_arena_new())) {
        return gs_fail_nomem(err);
    }
    if (names->count == names->room) {
        size_t room = names->room ? names->room * 2 : 256;
        struct gs_name *list = reallocarray(names->list, room, sizeof(*list));
        if (!list) {
            return gs_fail_nomem(err);
        }
        names->list = list;
        names->room = room;
    }
    const char *copy = gs_arena_text(names->arena, text);
    if (!copy) {
        return gs_fail_nomem(err);
    }
    names->list[names->count++] = (struct gs_name){copy, directory};
    return 0;
}

/* Byte order, but '/' before everything: what lies below a name then stands right behind it. */
static int compare(const void *a, const void *b)
{
    const unsigned char *one = (const unsigned char *)((const struct gs_name *)a)->text;
    const unsigned char *two = (const unsigned char *)((const struct gs_name *)b)->text;
    while (*one && *one == *two) {
        one++;
        two++;
    }
    int left = *one == '/' ? 1 : *one;
    int right = *two == '/' ? 1 : *two;
    return left - right;
}

int gs_names_check(gs_names *names, gs_error *err)
{
    if (names->count == 0) {
        return 0;
    }
    qsort(names->list, names->count, sizeof(*names->list), compare);
    for (size_t i = 1; i < names->count; i++) {
        const struct gs_name *before = &names->list[i - 1];
        const char *name = names->list[i].text;
        size_t len = strlen(before->text);
        if (strncmp(before->text, name, len) != 0) {
            continue;
        }
        if (name[len] == '\0') {
            (void)gs_fail(err, GS_EFORMAT, "the archive has this name twice");
            return gs_error_at(err, "%s", name);
        }
        if (name[len] == '/' && !before->directory) {
            (void)gs_fail(err, GS_EFORMAT, "the archive has this below \"%s\", which is not a directory", before->text);
            return gs_error_at(err, "%s", name);
        }
    }
    return 0;
}

void gs_names_done(gs_names *names)
{
    free(names->list);
    gs_arena_free(names->arena);
    *names = (gs_names){0};
}
