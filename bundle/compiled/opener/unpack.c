/* Unpacks the archive of a release: a gzip-compressed tar of plain files and folders below one folder.
 *
 * It accepts what bundle/tools/archive.py writes and refuses everything else: links, devices, owners' rights
 * beyond 0755, names that are absolute or lead elsewhere, entries that come twice, and bytes after the end.
 * Sources: POSIX.1-1988 (ustar) for the header, GNU tar for long names (type L). */

#include "opener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { BLOCK = 512, LONGEST_NAME = 4096 };

static FILE *packed;
static z_stream inflater;
static int ended;                 /* the gzip member is complete */
static unsigned char input[1 << 16];
static char name[LONGEST_NAME];   /* of the current entry, without a slash at its end */

static _Noreturn void damaged(const char *why) { stop(REFUSED, "the archive is damaged: %s", why); }

static _Noreturn void not_written(const char *what) {
  stop(NOT_WRITTEN, "%s could not be written (%s)", what, strerror(errno));
}

/* Reads up to `size` bytes of the tar; fewer only at its end. */
static size_t read_tar(unsigned char *bytes, size_t size) {
  inflater.next_out = bytes;
  inflater.avail_out = (uInt)size;
  while (inflater.avail_out && !ended) {
    if (!inflater.avail_in) {
      inflater.next_in = input;
      inflater.avail_in = (uInt)fread(input, 1, sizeof input, packed);
      if (!inflater.avail_in) damaged(ferror(packed) ? "it cannot be read" : "its end is missing");
    }
    int state = inflate(&inflater, Z_NO_FLUSH); /* compares checksum and length at the end */
    if (state == Z_STREAM_END) ended = 1;
    else if (state != Z_OK) damaged("its compressed data are wrong");
  }
  return size - inflater.avail_out;
}

static void read_block(unsigned char *block) {
  if (read_tar(block, BLOCK) != BLOCK) damaged("an entry is cut off");
}

/* A number in octal digits, with nothing but zeros and spaces around it. */
static uint64_t octal(const unsigned char *field, size_t size) {
  uint64_t value = 0;
  size_t at = 0, digits = 0;
  while (at < size && field[at] == ' ') at++;
  for (; at < size && field[at] >= '0' && field[at] <= '7'; at++, digits++) value = value * 8 + (field[at] - '0');
  for (size_t rest = at; rest < size; rest++)
    if (field[rest] != ' ' && field[rest] != 0) damaged("a number is not octal");
  if (!digits) damaged("a number is missing");
  return value;
}

static int all_zero(const unsigned char *bytes, size_t size) {
  while (size && !bytes[size - 1]) size--;
  return !size;
}

static void check_sum(const unsigned char *block) {
  unsigned sum = 0;
  for (int at = 0; at < BLOCK; at++) sum += at >= 148 && at < 156 ? ' ' : block[at];
  if (octal(block + 148, 8) != sum) damaged("the checksum of an entry is wrong");
}

/* Refuses a name that could lead out of the folder, or that a terminal would not show as it is. */
static void check_name(void) {
  if (!*name) damaged("an entry has no name");
  for (const char *part = name; part; part = strchr(part, '/'), part = part ? part + 1 : NULL) {
    size_t length = strcspn(part, "/");
    if (!length || (length == 1 && *part == '.') || (length == 2 && part[0] == '.' && part[1] == '.'))
      damaged("a name leads out of its folder");
  }
  for (const char *at = name; *at; at++)
    if ((unsigned char)*at < ' ' || *at == 127) damaged("a name has control characters");
}

/* All entries lie below the folder that the first one makes. */
static void check_top(int is_folder) {
  static char top[LONGEST_NAME];
  size_t length = strcspn(name, "/");
  if (!*top) {
    if (name[length] || !is_folder) damaged("it does not begin with its folder");
    memcpy(top, name, length + 1);
  } else if (strlen(top) != length || memcmp(top, name, length) || !name[length]) {
    damaged("an entry lies beside its folder");
  }
}

/* Opens the folder that holds `name`, a step at a time without following links; sets `last` to its last part. */
static int parent(int root, const char **last) {
  int folder = dup(root);
  char *part = name, *slash;
  while (folder >= 0 && (slash = strchr(part, '/'))) {
    *slash = 0;
    int next = openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    *slash = '/';
    close(folder);
    folder = next;
    part = slash + 1;
  }
  if (folder < 0) {
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) damaged("a file comes before its folder");
    not_written(name);
  }
  *last = part;
  return folder;
}

static void write_file(int folder, const char *last, mode_t mode, uint64_t size) {
  static unsigned char buffer[1 << 16];
  int file = openat(folder, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) {
    if (errno == EEXIST) damaged("a name comes twice");
    not_written(name);
  }
  while (size) {
    size_t some = size < sizeof buffer ? (size_t)size : sizeof buffer;
    size_t padded = (some + BLOCK - 1) / BLOCK * BLOCK;
    if (read_tar(buffer, padded) != padded) damaged("a file is cut off");
    for (size_t done = 0; done < some;) {
      ssize_t wrote = write(file, buffer + done, some - done);
      if (wrote < 0 && errno != EINTR) not_written(name);
      if (wrote > 0) done += (size_t)wrote;
    }
    size -= some;
  }
  if (fchmod(file, mode) || close(file)) not_written(name);
}

/* Reads the name that a GNU entry of type L gives the next entry. */
static void read_long_name(uint64_t size) {
  unsigned char block[BLOCK];
  if (size < 2 || size > sizeof name) damaged("a name is too long");
  for (uint64_t at = 0; at < size; at += BLOCK) {
    read_block(block);
    memcpy(name + at, block, size - at < BLOCK ? (size_t)(size - at) : BLOCK);
  }
  if (name[size - 1] || strlen(name) != size - 1) damaged("a name is not text");
}

void unpack(const char *file, uint64_t offset, const char *folder, uint64_t most) {
  unsigned char block[BLOCK];
  int named = 0, entries = 0;

  if (!(packed = fopen(file, "rb"))) stop(REFUSED, "%s cannot be read (%s)", file, strerror(errno));
  if (fseeko(packed, (off_t)offset, SEEK_SET)) damaged("it is too short");
  if (inflateInit2(&inflater, 16 + MAX_WBITS) != Z_OK) stop(NOT_WRITTEN, "the memory is full");
  int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) not_written(folder);
  umask(0);

  for (;;) {
    read_block(block);
    if (all_zero(block, BLOCK)) break;
    check_sum(block);
    uint64_t mode = octal(block + 100, 8), size = octal(block + 124, 12);
    octal(block + 108, 8), octal(block + 116, 8), octal(block + 136, 12); /* owner, group, date: not used */
    char type = (char)block[156];
    if (type == 'L' && !named) {
      read_long_name(size);
      named = 1;
      continue;
    }
    if (type != '0' && type != '5') damaged("an entry is neither a file nor a folder");
    if (!all_zero(block + 157, 100)) damaged("an entry is a link");
    if (memcmp(block + 257, "ustar  ", 8)) damaged("it is not a tar archive of GNU's format");
    if (!all_zero(block + 329, BLOCK - 329)) damaged("an entry has a field that only others have");
    if (!named) {
      memcpy(name, block, 100);
      name[100] = 0;
      if (!all_zero(block + strlen(name), 100 - strlen(name))) damaged("a name is not text");
    }
    named = 0;
    int is_folder = type == '5';
    size_t length = strlen(name);
    if (is_folder && length && name[length - 1] == '/') name[length - 1] = 0;
    check_name();
    check_top(is_folder);
    if (mode & ~(uint64_t)0755) damaged("a file would have more rights than 0755");
    if (is_folder ? size != 0 : size > most) damaged("an entry is too large");
    most -= size;
    const char *last;
    int into = parent(root, &last);
    if (!is_folder) {
      write_file(into, last, (mode_t)mode, size);
    } else if (mkdirat(into, last, (mode_t)mode)) {
      if (errno == EEXIST) damaged("a name comes twice");
      not_written(name);
    }
    close(into);
    entries++;
  }
  if (!entries || named) damaged("it has no entries");
  size_t got;
  while ((got = read_tar(block, BLOCK)) > 0) /* the rest of the last record */
    if (!all_zero(block, got)) damaged("it goes on after its end");
  if (inflater.avail_in || fgetc(packed) != EOF) damaged("it goes on after its end");
}
