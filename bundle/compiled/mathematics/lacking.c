/* What musl lacks of glibc's mathematical library: products of complex numbers, which compilers call by these
 * names, and Bessel functions of long doubles, which only have to be there: nothing of ours calls them.
 * Source of the products: C11, annex G.5.1: where plain multiplication gives NaN, infinities are restored. */

#define _XOPEN_SOURCE 700
#include <math.h>

long double jnl(int order, long double x) { return jn(order, (double)x); }
long double ynl(int order, long double x) { return yn(order, (double)x); }

#define PRODUCT(NAME, REAL, COPYSIGN)                                                     \
  static REAL sign_of_##NAME(REAL x) { return COPYSIGN(isinf(x) ? 1 : 0, x); }            \
  static REAL without_nan_##NAME(REAL x) { return isnan(x) ? COPYSIGN(0, x) : x; }        \
  REAL _Complex NAME(REAL a, REAL b, REAL c, REAL d) {                                    \
    REAL ac = a * c, bd = b * d, ad = a * d, bc = b * c;                                  \
    REAL x = ac - bd, y = ad + bc;                                                        \
    if (isnan(x) && isnan(y)) {                                                           \
      int left = isinf(a) || isinf(b), right = isinf(c) || isinf(d);                      \
      int inside = isinf(ac) || isinf(bd) || isinf(ad) || isinf(bc);                      \
      if (left) a = sign_of_##NAME(a), b = sign_of_##NAME(b);                             \
      if (left || inside) c = without_nan_##NAME(c), d = without_nan_##NAME(d);           \
      right = isinf(c) || isinf(d);                                                       \
      if (right) c = sign_of_##NAME(c), d = sign_of_##NAME(d);                            \
      if (right || inside) a = without_nan_##NAME(a), b = without_nan_##NAME(b);          \
      if (left || right || inside) x = INFINITY * (a * c - b * d), y = INFINITY * (a * d + b * c); \
    }                                                                                     \
    return __builtin_complex(x, y);                                                       \
  }

PRODUCT(__mulsc3, float, copysignf)
PRODUCT(__muldc3, double, copysign)
PRODUCT(__mulxc3, long double, copysignl)
