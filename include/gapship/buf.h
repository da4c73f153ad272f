/* A growable byte buffer whose maximum is given at its start, and an arena for trees that die in one go.
 *
 * Both remember a failure: a run of appends needs one check at its end (gs_buf_check).
 */
#ifndef GAPSHIP_BUF_H
#define GAPSHIP_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gapship/error.h"

/* Owned bytes. `data` is always followed by a NUL that `len` does not count, once something was appended or gs_buf_text was called.
 * `failed` is 0 or the GS_E… code (GS_ELIMIT, GS_ENOMEM) of the first append that did not fit; later appends do nothing. */
typedef struct gs_buf {
    char *data;
    size_t len;
    size_t cap;
    size_t max;
    int failed;
} gs_buf;

void gs_buf_init(gs_buf *buf, size_t max);
/* Frees; the buffer may be used again after gs_buf_init. NULL is fine. */
void gs_buf_done(gs_buf *buf);
/* Empties without freeing, and forgets a failure. */
void gs_buf_clear(gs_buf *buf);
void gs_buf_add(gs_buf *buf, const void *data, size_t len);
void gs_buf_add_text(gs_buf *buf, const char *text);
void gs_buf_printf(gs_buf *buf, const char *format, ...) GS_PRINTF(2, 3);
void gs_buf_add_zeros(gs_buf *buf, size_t count);
/* Little-endian fixed-width integers, as the bundle has them. */
void gs_buf_add_u16(gs_buf *buf, uint16_t value);
void gs_buf_add_u32(gs_buf *buf, uint32_t value);
void gs_buf_add_u64(gs_buf *buf, uint64_t value);
/* A JSON string with its quotes (RFC 8259); bytes that are not UTF-8 become U+FFFD. */
void gs_buf_add_json_text(gs_buf *buf, const char *text, size_t len);
/* Room for len more bytes at data+len, or NULL and `failed`. The caller then adds to len what it wrote. */
void *gs_buf_reserve(gs_buf *buf, size_t len);
/* 0, or the remembered failure with its sentence. */
int gs_buf_check(const gs_buf *buf, gs_error *err) GS_MUST_USE;
/* The content as a C string ("" when empty); borrowed until the next change. */
const char *gs_buf_text(gs_buf *buf);
/* The content as malloc'ed NUL-terminated memory; the buffer is empty afterwards. NULL when out of memory or
 * `failed`, and the buffer stays as it was. */
char *gs_buf_steal(gs_buf *buf);

/* Memory that is freed in one go. NULL from gs_arena_alloc means out of memory. */
typedef struct gs_arena gs_arena;

gs_arena *gs_arena_new(void);
void gs_arena_free(gs_arena *arena);
/* Zeroed, aligned for any type. size 0 gives a unique pointer. */
void *gs_arena_alloc(gs_arena *arena, size_t size);
/* count * size with an overflow check. */
void *gs_arena_array(gs_arena *arena, size_t count, size_t size);
/* For a list of count items that takes one more: items itself while *room is larger, else a copy with twice the room, which *room then
 * says. NULL when out of memory; items and *room stay as they are. */
void *gs_arena_more(gs_arena *arena, void *items, size_t count, size_t *room, size_t size);
char *gs_arena_text(gs_arena *arena, const char *text);
char *gs_arena_copy(gs_arena *arena, const void *data, size_t len); /* NUL added */
char *gs_arena_printf(gs_arena *arena, const char *format, ...) GS_PRINTF(2, 3);

/* Cleanup attributes: GS_AUTO_BUF gs_buf b; gs_buf_init(&b, …); The variable must be initialised on every path. */
#define GS_AUTO_BUF __attribute__((cleanup(gs_buf_done)))
void gs_arena_free_p(gs_arena **arena);
#define GS_AUTO_ARENA __attribute__((cleanup(gs_arena_free_p)))
void gs_free_p(void *pointer_to_pointer);
#define GS_AUTO_FREE __attribute__((cleanup(gs_free_p)))
/* Moves a pointer out of a variable that a cleanup would free. */
#define GS_STEAL(pointer)                                                                                                          \
    __extension__({                                                                                                                \
        __typeof__(pointer) gs_stolen = (pointer);                                                                                 \
        (pointer) = NULL;                                                                                                          \
        gs_stolen;                                                                                                                 \
    })

#endif
