/* What the process that reads an archive and the one that asked for it say to each other, over a socket: a request, then messages. Both
 * are the same program, so numbers are as the machine has them. Private to src/archive. */
#ifndef GAPSHIP_ARCHIVE_APART_H
#define GAPSHIP_ARCHIVE_APART_H

#include <stdint.h>

#include "gapship/limits.h"

/* From the one who asks. */
typedef struct gs_apart_request {
    uint64_t entries;
    uint64_t file_size;
    uint64_t total;
    uint32_t links;
    uint32_t reserved;
} gs_apart_request;

/* From the reader. A message is followed by `value` bytes, at most GS_APART_MESSAGE. */
typedef struct gs_apart_message {
    enum {
        GS_APART_ENTRY = 1, /* gs_apart_entry, the name, the target */
        GS_APART_DATA,      /* content of the entry before */
        GS_APART_END,       /* no entry follows */
        GS_APART_FAILED,    /* gs_apart_failure, three texts */
    } kind;
    uint32_t value;
} gs_apart_message;

typedef struct gs_apart_entry {
    uint64_t size;
    uint32_t name;
    uint32_t target; /* lengths */
    uint32_t kind;
    uint32_t executable;
} gs_apart_entry;

typedef struct gs_apart_failure {
    int32_t code;
    uint32_t lengths[3]; /* of message, where and hint */
} gs_apart_failure;

#define GS_APART_MESSAGE GS_KIB(256)
/* Past the first GS_APART_MESSAGE bytes of a content the reader waits for a word: MORE is the next GS_APART_WINDOW bytes, ENOUGH none.
 * So what is not looked at does not travel. */
#define GS_APART_WINDOW ((uint64_t)GS_MIB(4))
#define GS_APART_MORE   'm'
#define GS_APART_ENOUGH 'e'

#endif
