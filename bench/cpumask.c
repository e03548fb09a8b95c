/* A program at full speed on a processor that claims to be older than it is.
 *
 * Libraries ask the CPUID instruction which kernels they may run. This auditing library (see
 * rtld-audit(7)) replaces every CPUID in every object the dynamic linker opens, before any of the
 * object's own code runs, by UD2, an instruction of the same two bytes that traps. The trap handler
 * executes the true CPUID and removes what the named generation did not have. No kernel feature, no
 * privilege and no emulation is needed, and nothing but CPUID becomes slower.
 *
 * Where the CPUID instructions are cannot be told from bytes alone (they may be part of a longer
 * instruction), so bench/mask.py disassembles the objects once and hands over a list:
 *   CPUMASK_GENERATION  one of the names below
 *   CPUMASK_SITES       text file; "= PATH" opens an object, each further line is one address in it
 * An object that the list does not know is named on stderr, so that a hole in the mask is seen.
 *
 * Limits: the dynamic linker itself asks CPUID before any audit library exists; GLIBC_TUNABLES covers
 * it (bench/mask.py sets it). Clock, caches and memory stay the host's: compare ratios, not seconds.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define B(n) (1u << (n))

/* Leaf 1, ECX. */
enum { FMA = 12, MOVBE = 22, AES = 25, XSAVE = 26, OSXSAVE = 27, AVX = 28, F16C = 29, RDRAND = 30, PCLMUL = 1 };
/* Leaf 7.0, EBX. */
enum { FSGSBASE = 0, BMI1 = 3, AVX2 = 5, SMEP = 7, BMI2 = 8, ERMS = 9, INVPCID = 10, F512 = 16, DQ512 = 17,
       RDSEED = 18, ADX = 19, CLFLUSHOPT = 23, CLWB = 24, CD512 = 28, BW512 = 30, VL512 = 31 };
/* Leaf 7.0, ECX. */
enum { VNNI512 = 11 };
/* Leaf 80000001, ECX: what AMD added by itself, and LZCNT. */
enum { LZCNT = 5, SSE4A = 6, XOP = 11, FMA4 = 16, TBM = 21 };

#define LEAF1_VECTOR (B(PCLMUL) | B(FMA) | B(MOVBE) | B(AES) | B(XSAVE) | B(OSXSAVE) | B(AVX) | B(F16C) | B(RDRAND))
#define SANDY (B(PCLMUL) | B(AES) | B(XSAVE) | B(OSXSAVE) | B(AVX))
#define HASWELL7 (B(FSGSBASE) | B(BMI1) | B(AVX2) | B(SMEP) | B(BMI2) | B(ERMS) | B(INVPCID))
#define SKYLAKE7 (HASWELL7 | B(RDSEED) | B(ADX) | B(CLFLUSHOPT) | B(CLWB) | B(F512) | B(DQ512) | B(CD512) | B(BW512) | B(VL512))

/* What a generation has, of the bits that can be taken away; other bits are left as they are. */
static const struct generation {
  const char *name;
  uint32_t last_leaf;   /* highest basic leaf */
  uint32_t leaf1_c, leaf7_b, leaf7_c;
  uint32_t lzcnt;
} generations[] = {
  {"nehalem", 0x0b, 0, 0, 0, 0},
  {"sandybridge", 0x0d, SANDY, 0, 0, 0},
  {"haswell", 0x0d, LEAF1_VECTOR, HASWELL7, 0, B(LZCNT)},
  {"skylake-avx512", 0x16, LEAF1_VECTOR, SKYLAKE7, 0, B(LZCNT)},
  {"cascadelake", 0x16, LEAF1_VECTOR, SKYLAKE7, B(VNNI512), B(LZCNT)},
};

enum { MAX_SITES = 4096 };
static const struct generation *claimed;
static char *list;                       /* the site list, whole */
static uintptr_t sites[MAX_SITES];       /* addresses patched in this process */
static int site_count;

static void claim(uint32_t leaf, uint32_t subleaf, uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d) {
  const struct generation *g = claimed;
  if (leaf < 0x40000000u && leaf > g->last_leaf) {
    *a = *b = *c = *d = 0;
    return;
  }
  __cpuid_count(leaf, subleaf, *a, *b, *c, *d);
  if (leaf == 0 && *a > g->last_leaf) *a = g->last_leaf;
  if (leaf == 1) *c &= ~LEAF1_VECTOR | g->leaf1_c;
  if (leaf == 7) {                       /* all of it is younger than Nehalem */
    *a = 0;                              /* no subleaf but 0 */
    *b &= subleaf ? 0 : g->leaf7_b;
    *c &= subleaf ? 0 : g->leaf7_c;
    *d = 0;
  }
  if (leaf == 0x80000001u) *c &= ~(B(LZCNT) | B(SSE4A) | B(XOP) | B(FMA4) | B(TBM)) | g->lzcnt;
}

static void on_trap(int number, siginfo_t *info, void *context) {
  (void)info;
  greg_t *reg = ((ucontext_t *)context)->uc_mcontext.gregs;
  for (int i = 0; i < site_count; i++) {
    if (sites[i] != (uintptr_t)reg[REG_RIP]) continue;
    uint32_t a, b, c, d;
    claim((uint32_t)reg[REG_RAX], (uint32_t)reg[REG_RCX], &a, &b, &c, &d);
    reg[REG_RAX] = a, reg[REG_RBX] = b, reg[REG_RCX] = c, reg[REG_RDX] = d;
    reg[REG_RIP] += 2;
    return;
  }
  signal(number, SIG_DFL);               /* a true illegal instruction: run into it again and die of it */
}

static void give_up(const char *why, const char *what) {
  fprintf(stderr, "cpumask: %s %s\n", why, what);
  _exit(97);
}

static char *read_whole(const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) give_up("cannot read the site list", path);
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  char *text = malloc((size_t)size + 1);
  if (!text || fread(text, 1, (size_t)size, file) != (size_t)size) give_up("cannot read the site list", path);
  text[size] = 0;
  fclose(file);
  return text;
}

/* Asked once by the linker, before it maps the program's libraries. */
unsigned la_version(unsigned offered) {
  const char *wanted = getenv("CPUMASK_GENERATION"), *path = getenv("CPUMASK_SITES");
  if (!wanted || !path) give_up("set", "CPUMASK_GENERATION and CPUMASK_SITES");
  for (size_t i = 0; i < sizeof generations / sizeof *generations; i++)
    if (!strcmp(generations[i].name, wanted)) claimed = &generations[i];
  if (!claimed) give_up("unknown generation", wanted);
  list = read_whole(path);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_trap;
  action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART;
  if (sigaction(SIGILL, &action, NULL)) give_up("cannot handle", "SIGILL");
  return offered < LAV_CURRENT ? offered : LAV_CURRENT;
}

static void trap_at(uintptr_t address, const char *object) {
  unsigned char *code = (unsigned char *)address;
  if (code[0] != 0x0f || code[1] != 0xa2) give_up("the site list is out of date for", object);
  if (site_count == MAX_SITES) give_up("too many CPUID instructions in", object);
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = address & ~(page - 1);
  size_t length = ((address + 1) & ~(page - 1)) - from + page;
  if (mprotect((void *)from, length, PROT_READ | PROT_WRITE)) give_up("cannot patch", object);
  code[1] = 0x0b;                        /* 0f a2 CPUID -> 0f 0b UD2 */
  mprotect((void *)from, length, PROT_READ | PROT_EXEC);
  sites[site_count++] = address;
}

/* Told of every object after it is mapped and before it is relocated or initialised. */
unsigned la_objopen(struct link_map *map, Lmid_t space, uintptr_t *cookie) {
  (void)cookie;
  char own[4096];
  const char *name = map->l_name;
  if (space != LM_ID_BASE || !strcmp(name, "linux-vdso.so.1")) return 0;
  if (!*name) {                          /* the program itself */
    ssize_t got = readlink("/proc/self/exe", own, sizeof own - 1);
    own[got < 0 ? 0 : got] = 0;
    name = own;
  }
  char *real = realpath(name, NULL);
  if (!real) return 0;
  size_t length = strlen(real);
  char *line = list;
  while (line && !(line[0] == '=' && !strncmp(line + 2, real, length) && line[2 + length] == '\n'))
    line = (line = strchr(line, '\n')) ? line + 1 : NULL;
  if (!line) fprintf(stderr, "cpumask: not searched: %s\n", real);
  for (line = line ? strchr(line, '\n') : NULL; line && line[1] && line[1] != '='; line = strchr(line + 1, '\n'))
    trap_at(map->l_addr + strtoull(line + 1, NULL, 16), real);
  free(real);
  return 0;
}
