/* Memory that lives and dies together: chunks that grow, handed out from the front. Never gives a single piece back. */
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/buf.h"
#include "gapship/limits.h"
#include "gapship/num.h"

#define FIRST_CHUNK   GS_KIB(4)
#define LARGEST_CHUNK GS_KIB(256)
#define FIRST_ROOM    8 /* half of what a list begins with */

typedef struct chunk {
    struct chunk *next;
    size_t size; /* of data */
    size_t used;
    alignas(max_align_t) unsigned char data[];
} chunk;

struct gs_arena {
    chunk *chunks; /* the one in use first */
};

gs_arena *gs_arena_new(void)
{
    return calloc(1, sizeof(gs_arena));
}

void gs_arena_free(gs_arena *arena)
{
    if (!arena) {
        return;
    }
    while (arena->chunks) {
        chunk *next = arena->chunks->next;
        free(arena->chunks);
        arena->chunks = next;
    }
    free(arena);
}

static chunk *new_chunk(size_t size)
{
    size_t whole;
    if (!gs_add_size(sizeof(chunk), size, &whole)) {
        return NULL;
    }
    chunk *made = calloc(1, whole);
    if (made) {
        made->size = size;
    }
    return made;
}

/* A chunk with room for size bytes. What is large gets a chunk of its own behind the one in use, so that this one is not wasted. */
static chunk *find_room(gs_arena *arena, size_t size)
{
    chunk *head = arena->chunks;
    if (head && size <= head->size - head->used) {
        return head;
    }
    size_t next_size = head ? head->size * 2 : FIRST_CHUNK;
    next_size = next_size > LARGEST_CHUNK ? LARGEST_CHUNK : next_size;
    bool large = size > next_size / 2;
    chunk *made = new_chunk(large ? size : next_size);
    if (made && large && head) {
        made->next = head->next;
        head->next = made;
    } else if (made) {
        made->next = head;
        arena->chunks = made;
    }
    return made;
}

void *gs_arena_alloc(gs_arena *arena, size_t size)
{
    const size_t mask = alignof(max_align_t) - 1;
    size_t rounded;
    if (!gs_add_size(size ? size : 1, mask, &rounded)) {
        return NULL;
    }
    rounded &= ~mask;
    chunk *room = find_room(arena, rounded);
    if (!room) {
        return NULL;
    }
    void *piece = room->data + room->used;
    room->used += rounded;
    return piece;
}

void *gs_arena_array(gs_arena *arena, size_t count, size_t size)
{
    size_t bytes;
    return gs_mul_size(count, size, &bytes) ? gs_arena_alloc(arena, bytes) : NULL;
}

char *gs_arena_text(gs_arena *arena, const char *text)
{
    return gs_arena_copy(arena, text, strlen(text));
}

void *gs_arena_more(gs_arena *arena, void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room) {
        return items;
    }
    size_t wanted = *room == 0 ? FIRST_ROOM : *room;
    void *larger = gs_mul_size(wanted, 2, &wanted) ? gs_arena_array(arena, wanted, size) : NULL;
    if (larger) {
        if (count > 0) {
            memcpy(larger, items, count * size);
        }
        *room = wanted;
    }
    return larger;
}

char *gs_arena_copy(gs_arena *arena, const void *data, size_t len)
{
    size_t with_nul;
    char *copy = gs_add_size(len, 1, &with_nul) ? gs_arena_alloc(arena, with_nul) : NULL;
    if (copy && len > 0) {
        memcpy(copy, data, len);
    }
    return copy;
}

char *gs_arena_printf(gs_arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = len >= 0 ? gs_arena_alloc(arena, (size_t)len + 1) : NULL;
    if (text) {
        va_start(args, format);
        (void)vsnprintf(text, (size_t)len + 1, format, args);
        va_end(args);
    }
    return text;
}

void gs_arena_free_p(gs_arena **arena)
{
    gs_arena_free(*arena);
    *arena = NULL;
}

void gs_free_p(void *pointer_to_pointer)
{
    void *pointer;
    memcpy(&pointer, pointer_to_pointer, sizeof pointer);
    free(pointer);
}
