/* Every bound on a size or count that comes from outside. A value over its bound is GS_ELIMIT (GS_EFORMAT inside a bundle).
 * docs/limits.md lists them for users; the unit test of this header keeps the two equal. */
#ifndef GAPSHIP_LIMITS_H
#define GAPSHIP_LIMITS_H

#define GS_KIB(n) ((size_t)(n) << 10)
#define GS_MIB(n) ((size_t)(n) << 20)
#define GS_GIB(n) ((size_t)(n) << 30)

/* Documents (src/doc) */
#define GS_MAX_DOC_BYTES     GS_MIB(16)
#define GS_MAX_DOC_DEPTH     64
#define GS_MAX_DOC_NODES     1000000u
#define GS_MAX_DOC_DOCUMENTS 10000u
#define GS_MAX_DOC_ALIASES   1024u /* only in manifests; configuration files have none */
#define GS_MAX_SPEC_BYTES    GS_MIB(1)

/* The bundle (bundle-spec/FORMAT.md) */
#define GS_MAX_STATEMENT_BYTES    GS_MIB(1)
#define GS_MAX_ENVELOPE_BYTES     GS_MIB(2)
#define GS_MAX_SIGNATURES         16u
#define GS_MAX_SIGNATURE_BYTES    1024u
#define GS_MAX_MEMBERS            1000000u
#define GS_MAX_INDEX_BYTES        GS_MIB(256)
#define GS_MAX_LAYOUT_INDEX_BYTES GS_MIB(16)
#define GS_MAX_VOLUMES            999u /* their names end in three digits */
#define GS_MIN_VOLUME_BYTES       GS_MIB(1)
#define GS_MAX_KEY_FILE_BYTES     GS_KIB(64)
#define GS_MAX_PASSPHRASE_BYTES   1024u
#define GS_MAX_ROOT_BYTES         GS_KIB(64)
#define GS_MAX_ROOTS_BYTES        GS_KIB(512) /* the chain of roots that a bundle carries */
#define GS_MAX_DOCUMENT_BYTES     GS_KIB(64)  /* the body of a signed document */

/* OCI content */
#define GS_MAX_MANIFEST_BYTES       GS_MIB(4)
#define GS_MAX_CONFIG_BYTES         GS_MIB(4)
#define GS_MAX_DESCRIPTORS          1024u /* of one manifest or index */
#define GS_MAX_INDEX_DEPTH          3
#define GS_MAX_IMAGE_MANIFESTS      4096u      /* of one image, indexes included, each as often as it is named */
#define GS_MAX_IMAGE_MANIFEST_BYTES GS_MIB(16) /* of them together */
#define GS_MAX_REFERENCE_BYTES      1024u

/* HTTP */
#define GS_MAX_HTTP_HEADER_BYTES GS_KIB(64)
#define GS_MAX_TOKEN_BYTES       GS_MIB(1)
#define GS_MAX_HTTP_ERROR_BYTES  GS_MIB(1)
#define GS_MAX_REDIRECTS         5

/* Archives: charts and overlays (Helm's own bounds), image archives */
#define GS_MAX_ARCHIVE_ENTRIES    10000u
#define GS_MAX_ARCHIVE_FILE_BYTES GS_MIB(5)
#define GS_MAX_ARCHIVE_BYTES      GS_MIB(100)
#define GS_MAX_ENTRY_NAME_BYTES   4096u
#define GS_MAX_READER_MEMORY      GS_MIB(512) /* of the process that reads one */

/* Releases */
#define GS_MAX_ENVIRONMENTS 64u

/* One fetch from git: libgit2 1.5 always brings the whole history */
#define GS_MAX_GIT_OBJECTS 5000000u
#define GS_MAX_GIT_BYTES   GS_GIB(4)

/* Directory trees */
#define GS_MAX_TREE_DEPTH 128

/* Child processes */
#define GS_MAX_CHILD_OUTPUT_BYTES GS_MIB(64)
#define GS_MAX_CHILD_ERROR_BYTES  GS_KIB(16)
#define GS_MAX_TOOL_MEMORY        GS_GIB(2) /* writable memory of one helm or kubectl */
#define GS_MAX_TOOL_FILE_BYTES    GS_MIB(256)
#define GS_MAX_TOOL_FILES         1024u
#define GS_MAX_RENDER_CPU_SECONDS 600u

/* Work */
#define GS_MAX_JOBS     64u
#define GS_DEFAULT_JOBS 4u
#define GS_CHUNK_BYTES  GS_MIB(4)   /* the unit in which a bundle is verified */
#define GS_BUFFER_BYTES GS_KIB(256) /* one worker's copy buffer */

#endif
