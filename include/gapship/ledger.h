/* The ledger: what this site accepted, refused and did. SQLite with synchronous=EXTRA: what was appended survives a power cut. Rows are
 * chained by SHA-256: each row's hash covers its content and the hash before it, and the newest row's number and hash stand once more
 * beside the chain, so that an edited, removed, inserted or cut off row is found. Missing or damaged is GS_ESTATE, never "empty".
 */
#ifndef GAPSHIP_LEDGER_H
#define GAPSHIP_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gapship/bind.h"
#include "gapship/crypto.h"

typedef struct gs_ledger gs_ledger;

typedef enum gs_entry_kind {
    GS_ENTRY_ANY,         /* only in filters */
    GS_ENTRY_CREATED,     /* the first row: site name, root fingerprint */
    GS_ENTRY_ACCEPTED,    /* a bundle was verified and kept */
    GS_ENTRY_REFUSED,     /* a bundle was refused: why in detail */
    GS_ENTRY_STEP,        /* a step of a run, with its state */
    GS_ENTRY_ENVIRONMENT, /* an environment is on its way to a bundle (BEGUN), runs it (DONE), or failed to get there (FAILED) */
    GS_ENTRY_SCHEMA,      /* a database's revision (detail) as migrations leave it; step is the schema's name */
    GS_ENTRY_REMOVED,     /* a kept bundle was removed */
    /* A later trust root was proven (BEGUN), and is kept (DONE): version and sequence are its version, epoch is its epoch, bundle is its
     * fingerprint. CREATED rows say the same of the first. */
    GS_ENTRY_ROOT
} gs_entry_kind;

typedef enum gs_entry_state {
    GS_STATE_NONE,
    GS_STATE_BEGUN,
    GS_STATE_DONE,
    GS_STATE_FAILED,
    GS_STATE_SKIPPED,
    GS_STATE_UNCERTAIN
} gs_entry_state;

/* One row. Texts NULL where they say nothing. bundle names product, version and digest of what the row is about. */
typedef struct gs_entry {
    int64_t row;  /* 1, 2, …; set by append */
    int64_t time; /* seconds since 1970 */
    gs_entry_kind kind;
    gs_entry_state state;
    const char *run;  /* id of the run: 16 hex digits */
    const char *verb; /* "install", "rollback", "import", "load" */
    const char *product, *version;
    gs_digest bundle;
    bool has_bundle;
    int64_t epoch, sequence, security_floor;
    const char *environment;
    const char *step;         /* "migrate/main", "apply/app" …; of SCHEMA rows the schema */
    const char *detail;       /* one line for people */
    int64_t duration;         /* milliseconds */
    char hash[GS_DIGEST_HEX]; /* set by append and by reads */
} gs_entry;

/* A new ledger in a directory that has none, with its first row. */
int gs_ledger_create(const char *path, const gs_entry *first, gs_error *err) GS_MUST_USE;
/* Opens and checks schema and integrity; the chain is checked by gs_ledger_check. */
int gs_ledger_open(const char *path, gs_ledger **out, gs_error *err) GS_MUST_USE;
void gs_ledger_free(gs_ledger *ledger);
void gs_ledger_free_p(gs_ledger **ledger);
#define GS_AUTO_LEDGER __attribute__((cleanup(gs_ledger_free_p)))
/* Durable when it returns 0. */
int gs_ledger_append(gs_ledger *ledger, gs_entry *entry, gs_error *err) GS_MUST_USE;
/* Walks the whole chain: GS_ESTATE naming the first row that does not fit. *rows may be NULL. */
int gs_ledger_check(gs_ledger *ledger, int64_t *rows, gs_error *err) GS_MUST_USE;

/* Which rows are meant: those that have every value given; a member that is 0 leaves it open. */
typedef struct gs_ledger_filter {
    gs_entry_kind kind;
    gs_entry_state state;
    const char *product, *environment, *step, *run;
    const gs_digest *bundle;
    size_t newest; /* at most so many, the newest; gs_ledger_read only */
} gs_ledger_filter;
/* Rows in order, oldest first; strings in arena. */
int gs_ledger_read(gs_ledger *ledger, const gs_ledger_filter *filter, gs_arena *arena, gs_entry **out, size_t *count,
                   gs_error *err) GS_MUST_USE;
/* The newest such row, or *found false. */
int gs_ledger_newest(gs_ledger *ledger, const gs_ledger_filter *filter, gs_arena *arena, gs_entry *out, bool *found,
                     gs_error *err) GS_MUST_USE;

/* The words of the JSON and of the table: "accepted", "done". NONE is "". */
const char *gs_entry_kind_name(gs_entry_kind kind);
const char *gs_entry_state_name(gs_entry_state state);
const char *gs_ledger_version(void); /* of SQLite */

#endif
