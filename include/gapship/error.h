/* Errors: one table, one type, one line for a person.
 *
 * Every fallible function of gapship returns 0 or a negative GS_E… code and takes a `gs_error *` last. The callee fills it once;
 * callers add context with gs_error_context() or gs_error_at() and pass the code on. There is no "last error" and no allocation:
 * an error about memory can always be reported.
 */
#ifndef GAPSHIP_ERROR_H
#define GAPSHIP_ERROR_H

#include <stdarg.h>

/* X(name, exit status, sentence). The exit statuses are the product's interface: docs/errors.md has a row for each. */
#define GS_ERROR_TABLE(X)                                                                                                          \
    X(INTERNAL, 1, "gapship met a state it does not expect; this is a bug")                                                        \
    X(NOMEM, 1, "out of memory")                                                                                                   \
    X(IO, 1, "a file could not be read or written")                                                                                \
    X(NOSPACE, 1, "the disk is full")                                                                                              \
    X(USAGE, 2, "the command was called wrongly")                                                                                  \
    X(SPEC, 2, "a file that a person wrote is wrong")                                                                              \
    X(NOTFOUND, 2, "what was named does not exist")                                                                                \
    X(EXISTS, 2, "what would be written exists already")                                                                           \
    X(FORMAT, 3, "this is not a well-formed bundle")                                                                               \
    X(SIGNATURE, 3, "the bundle is not signed by enough trusted keys")                                                             \
    X(DIGEST, 3, "content does not have the digest it was promised to have")                                                       \
    X(DOWNGRADE, 3, "the order of bundles does not let this one in")                                                               \
    X(CHECK, 4, "a check made before any change failed")                                                                           \
    X(GATE, 5, "a gate is closed")                                                                                                 \
    X(REGISTRY, 6, "the registry did not do what was asked")                                                                       \
    X(NETWORK, 6, "a host could not be reached")                                                                                   \
    X(AUTH, 6, "a host refused the credentials")                                                                                   \
    X(MIGRATION, 7, "a migration failed; the application was not touched")                                                         \
    X(APPLY, 8, "the environment could not be brought to the release")                                                             \
    X(CONFLICT, 8, "somebody else changed the same thing at the same time")                                                        \
    X(VERIFY, 9, "the environment does not pass its verification")                                                                 \
    X(ROLLED_BACK, 10, "the step failed and the previous release was reinstalled")                                                 \
    X(ROLLBACK_REFUSED, 11, "the database cannot bear this rollback")                                                              \
    X(LOCKED, 12, "another run holds the lock")                                                                                    \
    X(TIMEOUT, 13, "it took longer than allowed")                                                                                  \
    X(UNCERTAIN, 14, "whether a step was done cannot be proved; a person must look")                                               \
    X(STATE, 14, "the site's own records are missing or damaged")                                                                  \
    X(LIMIT, 2, "an input is larger than gapship accepts")                                                                         \
    X(INTERRUPTED, 130, "stopped by a signal; the same command resumes")

enum gs_code {
    GS_CODE_NONE = 0,
#define GS_X(name, exit_status, sentence) GS_CODE_##name,
    GS_ERROR_TABLE(GS_X)
#undef GS_X
        GS_CODE_COUNT
};

enum {
#define GS_X(name, exit_status, sentence) GS_E##name = -(int)GS_CODE_##name,
    GS_ERROR_TABLE(GS_X)
#undef GS_X
};

/* Exit status of `plan` when something would change. Not an error, so not in the table. */
#define GS_EXIT_CHANGES 20

#define GS_ERROR_MESSAGE_MAX 1024
#define GS_ERROR_WHERE_MAX   512
#define GS_ERROR_HINT_MAX    512

/* What went wrong (`message`: what and why), where (file:line:col, environment/unit/object, host), and what to do next (`hint`).
 * Zero-initialise before use. Too long texts are cut with "…". Control characters from outside are replaced by '?' when set. */
typedef struct gs_error {
    int code; /* 0 or a negative GS_E… */
    char message[GS_ERROR_MESSAGE_MAX];
    char where[GS_ERROR_WHERE_MAX];
    char hint[GS_ERROR_HINT_MAX];
} gs_error;

#define GS_MUST_USE            __attribute__((warn_unused_result))
#define GS_PRINTF(text, first) __attribute__((format(printf, text, first)))

/* Fills err (which may be NULL) and returns code, so that `return gs_fail(err, GS_ESPEC, "…");` is the whole error path.
 * Overwrites what err held. */
int gs_fail(gs_error *err, int code, const char *format, ...) GS_PRINTF(3, 4);
/* The same from errno: "WHAT: strerror". ENOMEM becomes GS_ENOMEM, ENOSPC and EDQUOT GS_ENOSPACE, others GS_EIO. */
int gs_fail_errno(gs_error *err, int errnum, const char *format, ...) GS_PRINTF(3, 4);
/* GS_ENOMEM with its sentence. */
int gs_fail_nomem(gs_error *err);

/* Puts "PREFIX: " before the message. Returns err's code, for `return gs_error_context(err, …)`. This and the next two return
 * GS_EINTERNAL when err is NULL or holds no error: the code is lost then, but never becomes a success. */
int gs_error_context(gs_error *err, const char *format, ...) GS_PRINTF(2, 3);
/* Sets where, or puts "WHERE: " before what is there. Returns err's code. */
int gs_error_at(gs_error *err, const char *format, ...) GS_PRINTF(2, 3);
/* Sets the hint unless one is there (the callee knew better). Returns err's code. */
int gs_error_hint(gs_error *err, const char *format, ...) GS_PRINTF(2, 3);
/* Changes the code, keeping the texts: a failed HTTP call during a load is the registry's error. Returns code. */
int gs_error_recode(gs_error *err, int code);

/* The table. code is a negative GS_E…; an unknown code reads as INTERNAL. gs_code_name gives "SPEC". */
const char *gs_code_name(int code);
const char *gs_code_sentence(int code);
int gs_code_exit(int code);

#endif
