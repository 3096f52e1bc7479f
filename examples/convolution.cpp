// Convolution of images in groups of channels, with stride and padding.
#include <tessera/tessera.hpp>

#include "support/support.hpp"

using namespace tessera;

inline constexpr Dim<"BF"> BF;
inline constexpr Dim<"BW"> BW;
inline constexpr Dim<"BC"> BC;

TESSERA_KERNEL(convolution)(Kernel k, In<f32, "B", "G", "C", "H", "W"> x, In<f32, "G", "F", "C", "KH", "KW"> w,
                            Scalar<i32> stride, Scalar<i32> pad, Out<f32, "B", "G", "F", "OH", "OW"> y) {
  k.expects(stride > 0, "stride is positive");
  k.expects(k.extent<"OH">() == (k.extent<"H">() + 2 * pad - k.extent<"KH">()) / stride + 1,
            "OH fits H, KH, stride and pad");
  k.expects(k.extent<"OW">() == (k.extent<"W">() + 2 * pad - k.extent<"KW">()) / stride + 1,
            "OW fits W, KW, stride and pad");
  auto b = k.index<"B">(), g = k.index<"G">();
  auto f = k.block<"F">(BF), oh = k.block<"OH">(4), ow = k.block<"OW">(BW);
  auto kh = k.all<"KH">(), kw = k.all<"KW">();
  Var acc = k.zeros<f32>(f, oh, ow);
  for (auto c : k.blocks<"C">(BC))
    acc += dot<"C", "KH", "KW">(w(g, f, c, kh, kw), x.pad(0)(b, g, c, oh * stride + kh - pad, ow * stride + kw - pad));
  y(b, g, f, oh, ow) = acc;
};

struct Shape {
  std::size_t B, G, C, F, H, K, stride, pad;
  std::size_t out() const { return (H + 2 * pad - K) / stride + 1; }
};

void convolve(example::Run& run, const char* what, const Shape& s) {
  const auto [B, G, C, F, H, K, stride, pad] = s;
  const std::size_t O = s.out();
  const auto x = run.random(B * G * C * H * H), w = run.random(G * F * C * K * K, -0.1, 0.1);
  std::vector<float> y(B * G * F * O * O);

  run.operations(what, 2.0 * static_cast<double>(y.size() * C * K * K), [&] {
    convolution(view(x, {B, G, C, H, H}), view(w, {G, F, C, K, K}), stride, pad, view(y, {B, G, F, O, O}));
  });

  for (std::size_t at : run.some(y.size(), 10'000)) {
    const std::size_t ow = at % O, oh = at / O % O, f = at / O / O % F, g = at / O / O / F % G, b = at / O / O / F / G;
    double sum = 0;
    for (std::size_t c = 0; c < C; ++c)
      for (std::size_t kh = 0; kh < K; ++kh)
        for (std::size_t kw = 0; kw < K; ++kw) {
          const std::size_t h = oh * stride + kh - pad, v = ow * stride + kw - pad;  // below 0 wraps to very large
          if (h >= H || v >= H) continue;
          sum += double{x[(((b * G + g) * C + c) * H + h) * H + v]} * w[(((g * F + f) * C + c) * K + kh) * K + kw];
        }
    run.expect(y[at], sum, 1e-5);
  }
}

int main(int argc, char** argv) {
  example::Run run("convolution: as neural networks have it", argc, argv);
  if (run.small()) {
    convolve(run, "5 x 5, stride 2, 2 groups", {2, 2, 3, 5, 13, 5, 2, 2});
  } else {
    convolve(run, "3 x 3, 128 to 128 channels", {8, 1, 128, 128, 28, 3, 1, 1});
    convolve(run, "3 x 3, stride 2, 64 to 128", {8, 1, 64, 128, 56, 3, 2, 1});
    convolve(run, "7 x 7, stride 2, 3 to 64", {4, 1, 3, 64, 224, 7, 2, 3});
    convolve(run, "3 x 3, 32 groups of 4", {8, 32, 4, 4, 56, 3, 1, 1});
  }
  return run.result();
}
