/* The opener: verifies the signature of a release file and unpacks it, with nothing but the kernel.
 *
 *   opener verify FILE SIGNATURE -P KEY       KEY is the second line of a minisign public key file
 *   opener verify FILE SIGNATURE -p KEYFILE
 *   opener unpack FILE OFFSET FOLDER BYTES    BYTES: the most that its files may hold together
 *   opener runs                               ends with 0: the program can be started
 *
 * It ends with 0 if all is well, 1 if the file is refused, 2 for wrong arguments, and 3 if something could
 * not be written. Then it says why in one sentence on standard error. */

#include "opener.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void stop(int code, const char *format, ...) {
  va_list values;
  va_start(values, format);
  vfprintf(stderr, format, values);
  va_end(values);
  fputc('\n', stderr);
  exit(code);
}

static uint64_t number(const char *text) {
  char *end;
  unsigned long long value = strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end) stop(USAGE, "%s is not a number.", text);
  return value;
}

int main(int count, char **words) {
  if (count == 2 && !strcmp(words[1], "runs")) return DONE;
  if (count == 6 && !strcmp(words[1], "verify") && !strcmp(words[4], "-P"))
    return verify(words[2], words[3], words[5]);
  if (count == 6 && !strcmp(words[1], "verify") && !strcmp(words[4], "-p"))
    return verify(words[2], words[3], key_of(words[5]));
  if (count == 6 && !strcmp(words[1], "unpack")) {
    unpack(words[2], number(words[3]), words[4], number(words[5]));
    return DONE;
  }
  stop(USAGE, "opener verify FILE SIGNATURE -P KEY | -p KEYFILE, or opener unpack FILE OFFSET FOLDER BYTES.");
}
