/* Prints the version of this system's C library. It cannot start where that is not GNU's. */

#include <gnu/libc-version.h>
#include <stdio.h>

int main(void) { return puts(gnu_get_libc_version()) < 0; }
