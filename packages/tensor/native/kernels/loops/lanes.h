// One vector register of floats, by GCC's vector extensions: the same source becomes SSE2, AVX2 or AVX-512 code.
// Included once by each translation unit of an instruction set, which defines DUCHENNE_LANES first. Everything here has
// internal linkage: the linker must never mix code of two instruction sets.
#include <cstdint>

#include "loops.h"

namespace duchenne {
namespace {

constexpr std::int64_t kLanes = DUCHENNE_LANES;

typedef float Floats __attribute__((vector_size(kLanes * 4)));
typedef std::int32_t Ints __attribute__((vector_size(kLanes * 4)));
typedef std::uint32_t Words __attribute__((vector_size(kLanes * 4)));
typedef std::uint16_t Halves __attribute__((vector_size(kLanes * 2)));
typedef Floats AnyFloats __attribute__((aligned(4), may_alias));
typedef Halves AnyHalves __attribute__((aligned(2), may_alias));

/// Minus 0, not plus: the compiler may leave that out, for it is the value itself, -0 too.
inline Floats Splat(float value) { return value - Floats{}; }

inline Floats FloatsFromHalves(Halves bits) {
  return reinterpret_cast<Floats>(__builtin_convertvector(bits, Words) << 16);
}

/// Rounds to nearest, ties to even; what is not a number stays so.
inline Halves HalvesFromFloats(Floats value) {
  const Words bits = reinterpret_cast<Words>(value);
  const Words rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const Words quiet = (bits >> 16) | 0x40u;
  const Ints ordered = value == value;
  const Words chosen = (rounded & reinterpret_cast<Words>(ordered)) | (quiet & ~reinterpret_cast<Words>(ordered));
  return __builtin_convertvector(chosen, Halves);
}

inline Floats Load(const float* from) { return *reinterpret_cast<const AnyFloats*>(from); }
inline Floats Load(const Bf16* from) { return FloatsFromHalves(*reinterpret_cast<const AnyHalves*>(from)); }
inline void Store(float* to, Floats value) { *reinterpret_cast<AnyFloats*>(to) = value; }
inline void Store(Bf16* to, Floats value) { *reinterpret_cast<AnyHalves*>(to) = HalvesFromFloats(value); }

/// The first `count` lanes; the others are 0. @param count may exceed the lanes
template <class T>
inline Floats Load(const T* from, std::int64_t count) {
  if (__builtin_expect(count >= kLanes, 1)) return Load(from);
  T part[kLanes] = {};
  __builtin_memcpy(part, from, static_cast<std::size_t>(count) * sizeof(T));
  return Load(part);
}

template <class T>
inline void Store(T* to, Floats value, std::int64_t count) {
  if (__builtin_expect(count >= kLanes, 1)) return Store(to, value);
  T part[kLanes];
  Store(part, value);
  __builtin_memcpy(to, part, static_cast<std::size_t>(count) * sizeof(T));
}

inline Floats Select(Ints mask, Floats yes, Floats no) { return mask ? yes : no; }
inline Floats Max(Floats a, Floats b) { return a > b ? a : b; }
inline Floats Abs(Floats x) { return reinterpret_cast<Floats>(reinterpret_cast<Words>(x) & 0x7fffffffu); }

inline float Sum(Floats x) {
  float sums[kLanes];
  Store(sums, x);
  for (std::int64_t half = kLanes / 2; half > 0; half /= 2)
    for (std::int64_t i = 0; i < half; i++) sums[i] += sums[i + half];
  return sums[0];
}

inline float Largest(Floats x) {
  float values[kLanes];
  Store(values, x);
  for (std::int64_t i = 1; i < kLanes; i++) values[0] = values[i] > values[0] ? values[i] : values[0];
  return values[0];
}

/// Lane numbers below `count` are true.
inline Ints FirstLanes(std::int64_t count) {
  Ints lane;
  for (std::int64_t i = 0; i < kLanes; i++) lane[i] = static_cast<std::int32_t>(i);
  return lane < static_cast<std::int32_t>(count < kLanes ? count : kLanes);
}

/// exp(x) for x <= 0 (below -87: exp(-87)), to 2 units in the last place: x = n ln 2 + r, with a polynomial in r.
inline Floats ExpOfNegative(Floats x) {
  x = Max(x, Splat(-87.0f));
  const float shift = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  const Floats n = (x * 1.44269504f + shift) - shift;
  const Floats r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  Floats p = Splat(1.98412698e-4f);
  p = p * r + 1.38888889e-3f;
  p = p * r + 8.33333333e-3f;
  p = p * r + 4.16666667e-2f;
  p = p * r + 1.66666667e-1f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const Words exponent = reinterpret_cast<Words>(__builtin_convertvector(n, Ints) + 127) << 23;
  return p * reinterpret_cast<Floats>(exponent);
}

}  // namespace
}  // namespace duchenne
