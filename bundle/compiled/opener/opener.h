/* What the parts of the opener share. */
#ifndef OPENER_H
#define OPENER_H

#include <stdint.h>
#include <stdio.h>

/* Exit codes. */
enum { DONE = 0, REFUSED = 1, USAGE = 2, NOT_WRITTEN = 3 };

/* Writes one sentence about why something is refused to standard error, and ends the program with `code`. */
_Noreturn void stop(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints the trusted comment of `signature` if the key made it for `file`, and returns DONE or REFUSED.
 * Source: https://jedisct1.github.io/minisign/ ("Signature format"), prehashed signatures only. */
int verify(const char *file, const char *signature, const char *key_line);

/* The second line of a minisign public key file, in a static buffer; NULL if there is none. */
const char *key_of(const char *path);

/* Unpacks the tar.gz that begins at byte `offset` (counted from 0) of `file` and ends with it into the
 * existing folder `folder`; its files may hold `most` bytes together. Ends the program unless all is well. */
void unpack(const char *file, uint64_t offset, const char *folder, uint64_t most);

#endif
