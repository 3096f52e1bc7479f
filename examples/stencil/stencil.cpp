// Takes noise out of a photograph by diffusion that stops at edges (Perona and Malik), several steps in one launch.
#include <stb/stb_image.h>
#include <stb/stb_image_write.h>
#include <tessera/tessera.hpp>

#include <cstdio>
#include <utility>

#include "support/support.hpp"

using namespace tessera;

inline constexpr Dim<"BY"> BY;
inline constexpr Dim<"BX"> BX;

constexpr Tile flow(Tile neighbour, Tile c) {  // none from outside the picture, little across an edge
  auto d = where(neighbour < -1, 0, neighbour - c);
  return d / (1 + 100 * d * d);
}
constexpr Tile diffuse(Tile u, Block y, Block x) {
  auto p = pad(u, -2), c = at<"Y", "X">(p, y, x);
  return c + 0.2 * (flow(at<"Y", "X">(p, y - 1, x), c) + flow(at<"Y", "X">(p, y + 1, x), c) +
                    flow(at<"Y", "X">(p, y, x - 1), c) + flow(at<"Y", "X">(p, y, x + 1), c));
}
constexpr Tile march(Tile u, Block y, Block x, int steps) {  // onto smaller and smaller tiles inside a halo
  return steps == 0 ? u : march(diffuse(u, y.grow(steps - 1), x.grow(steps - 1)), y, x, steps - 1);
}
template <int Steps>
TESSERA_KERNEL(diffuse_steps)(Kernel k, In<f32, "C", "Y", "X"> u, Out<f32, "C", "Y", "X"> v) {
  auto c = k.index<"C">();
  auto y = k.block<"Y">(BY), x = k.block<"X">(BX);
  v(c, y, x) = march(u(c, y.grow(Steps), x.grow(Steps)), y, x, Steps);
};

TESSERA_KERNEL(add_noise)(Kernel k, In<u8, "C", "Y", "X"> picture, Scalar<u64> seed, Out<f32, "C", "Y", "X"> u) {
  auto c = k.index<"C">();
  auto y = k.block<"Y">(BY), x = k.block<"X">(BX);
  auto place = cast<u64>((c * k.extent<"Y">() + y) * k.extent<"X">() + x);
  u(c, y, x) = clamp(cast<f32>(picture(c, y, x)) / 255 + 0.1 * normal<f32>(seed, place), 0, 1);
};
TESSERA_KERNEL(to_bytes)(Kernel k, In<f32, "C", "Y", "X"> u, Out<u8, "C", "Y", "X"> picture) {
  auto c = k.index<"C">();
  auto y = k.block<"Y">(BY), x = k.block<"X">(BX);
  picture(c, y, x) = cast<u8>(round(u(c, y, x) * 255));
};

int main(int argc, char** argv) {
  example::Run run("stencil: noise out of a photograph (danielbuechele, CC BY 2.0)", argc, argv);
  int width = 0, height = 0, channels = 0;
  stbi_uc* bytes = stbi_load(TESSERA_EXAMPLE_DIR "/china.jpg", &width, &height, &channels, 3);
  if (bytes == nullptr) return std::printf("  china.jpg: %s\n", stbi_failure_reason()), 2;
  const std::size_t W = width, Y = run.size(height, 50), X = run.size(W, 75), C = 3, N = C * Y * X;
  const auto picture = view(bytes, {C, Y, X}, {std::size_t{1}, C * W, C});  // as planes, without copying
  std::vector<float> noisy(N), a(N), b(N);
  add_noise(picture, 1, view(noisy, {C, Y, X}));

  const auto sixteen = [&](auto& kernel, int launches) {
    for (int i = 0; i < launches; ++i, std::swap(a, b)) kernel(view(i == 0 ? noisy : a, {C, Y, X}), view(b, {C, Y, X}));
  };
  run.things("16 launches of 1 step", "Gpixel/s", 16e-9 * N, [&] { sixteen(diffuse_steps<1>, 16); });
  const auto one = a;
  run.things("4 launches of 4 steps", "Gpixel/s", 16e-9 * N, [&] { sixteen(diffuse_steps<4>, 4); });

  std::vector<double> u(noisy.begin(), noisy.end()), next(N);
  const auto flow64 = [](double n, double c) { return (n - c) / (1 + 100 * (n - c) * (n - c)); };
  for (int turn = 0; turn < 16; ++turn, std::swap(u, next))
    for (std::size_t i = 0; i < N; ++i) {
      const std::size_t x = i % X, y = i / X % Y;
      next[i] = u[i] + 0.2 * ((y > 0 ? flow64(u[i - X], u[i]) : 0) + (y + 1 < Y ? flow64(u[i + X], u[i]) : 0) +
                              (x > 0 ? flow64(u[i - 1], u[i]) : 0) + (x + 1 < X ? flow64(u[i + 1], u[i]) : 0));
    }
  run.expect_all(one, u, 1e-4), run.expect_all(a, u, 1e-4);

  std::vector<std::uint8_t> both(Y * 2 * X * C);  // noisy on the left, clean on the right
  to_bytes(view(noisy, {C, Y, X}), view(both.data(), {C, Y, X}, {std::size_t{1}, 2 * X * C, C}));
  to_bytes(view(a, {C, Y, X}), view(both.data() + X * C, {C, Y, X}, {std::size_t{1}, 2 * X * C, C}));
  stbi_write_png("stencil.png", static_cast<int>(2 * X), static_cast<int>(Y), 3, both.data(), 0);
  return run.result();
}
