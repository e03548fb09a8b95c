/* The functions of glibc's libmvec that libsndfile calls: sine and cosine of two or four numbers at once, under
 * the names of the vector ABI (b: SSE, N: no mask, v: a vector). The system's libmvec would need the system's libm. */

#include <math.h>

typedef double two __attribute__((vector_size(16)));
typedef float four __attribute__((vector_size(16)));

#define VECTORS(NAME)                                                                        \
  two _ZGVbN2v_##NAME(two x) { return (two){NAME(x[0]), NAME(x[1])}; }                       \
  four _ZGVbN4v_##NAME##f(four x) {                                                          \
    return (four){NAME##f(x[0]), NAME##f(x[1]), NAME##f(x[2]), NAME##f(x[3])};               \
  }

VECTORS(sin)
VECTORS(cos)
