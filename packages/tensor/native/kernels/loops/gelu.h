// The exact GELU, x Phi(x) (Hendrycks and Gimpel 2016), and its derivative, Phi(x) + x phi(x).
namespace duchenne {
namespace {

struct NormalDistribution {
  /// Phi(x), the cumulative distribution.
  Floats cumulative;
  /// exp(-x^2 / 2), the density times sqrt(2 pi).
  Floats bell;
};

/// erfc(z) = exp(-z^2) t P(t) with t = 1 / (1 + 0.3 z), z = |x| / sqrt(2). P is our own least-squares fit, iterated
/// towards equal ripples, to erfc(z) exp(z^2) on 0 <= z <= 9.5; its relative error is 2e-8.
inline NormalDistribution Normal(Floats x) {
  const Floats z = Abs(x) * 0.70710678118f;
  const Floats bell = ExpOfNegative(-z * z);
  const Floats t = 1.0f / (1.0f + 0.3f * z);
  Floats p = Splat(-0.12943429539623252f);
  p = p * t + 0.4850974943248833f;
  p = p * t - 0.5112285884257545f;
  p = p * t + 0.5463974751208458f;
  p = p * t - 0.09363290178705731f;
  p = p * t + 0.21443696467123025f;
  p = p * t + 0.1484822612522759f;
  p = p * t + 0.17069195717475805f;
  p = p * t + 0.16918961361763932f;
  const Floats tail = 0.5f * t * p * bell;
  return {Select(x >= 0.0f, 1.0f - tail, tail), bell};
}

constexpr float kInverseSqrtTwoPi = 0.3989422804f;

template <class T>
void BiasGelu(const BiasGeluRows<T>& rows, RowRange range) {
  const std::int64_t dim = rows.dim;
  for (std::int64_t row = range.begin; row < range.end; row++) {
    const T* u = rows.u + row * dim;
    T* y = rows.y + row * dim;
    for (std::int64_t j = 0; j < dim; j += kLanes) {
      const std::int64_t left = dim - j;
      Floats x = Load(u + j, left);
      if (rows.bias != nullptr) x += Load(rows.bias + j, left);
      Store(y + j, x * Normal(x).cumulative, left);
    }
  }
}

template <class T>
void BiasGeluGrad(const BiasGeluGradRows<T>& rows, RowRange range, float* dbias) {
  const std::int64_t dim = rows.dim;
  for (std::int64_t row = range.begin; row < range.end; row++) {
    const T* u = rows.u + row * dim;
    const T* dy = rows.dy + row * dim;
    T* du = rows.du + row * dim;
    for (std::int64_t j = 0; j < dim; j += kLanes) {
      const std::int64_t left = dim - j;
      Floats x = Load(u + j, left);
      if (rows.bias != nullptr) x += Load(rows.bias + j, left);
      const NormalDistribution normal = Normal(x);
      const Floats gradient = Load(dy + j, left) * (normal.cumulative + x * normal.bell * kInverseSqrtTwoPi);
      if (dbias != nullptr) Store(dbias + j, Load(dbias + j, left) + gradient, left);
      Store(du + j, gradient, left);
      Store(rows.y + row * dim + j, x * normal.cumulative, left);
    }
  }
}

}  // namespace
}  // namespace duchenne
