// The Mandelbrot set: how often each point of the plane can be squared before it escapes; drawn here and as a picture.
#include <stb/stb_image_write.h>
#include <tessera/tessera.hpp>

#include <cstdio>

#include "support/support.hpp"

using namespace tessera;

inline constexpr Dim<"BY"> BY;
inline constexpr Dim<"BX"> BX;

TESSERA_KERNEL(mandelbrot)(Kernel k, Scalar<f32> x0, Scalar<f32> y0, Scalar<f32> step, Scalar<i32> limit,
                           Out<i32, "Y", "X"> out) {
  auto y = k.block<"Y">(BY), x = k.block<"X">(BX);
  auto cr = x0 + cast<f32>(x) * step, ci = y0 + cast<f32>(y) * step;
  Var zr = k.zeros<f32>(y, x), zi = k.zeros<f32>(y, x), n = k.zeros<i32>(y, x), in = k.full<b8>(true, y, x);
  while (k.loop(any(in))) {
    auto r = zr * zr - zi * zi + cr;
    zi = 2 * zr * zi + ci;
    zr = r;
    in = zr * zr + zi * zi <= 4 && n < limit;
    n += cast<i32>(in);
  }
  out(y, x) = n;
};

TESSERA_KERNEL(paint)(Kernel k, In<i32, "Y", "X"> n, Scalar<i32> limit, Out<u8, "Y", "X", "C"> rgb) {
  auto y = k.block<"Y">(BY), x = k.block<"X">(BX);
  auto c = k.all<"C">();
  auto turn = 0.35 * sqrt(cast<f32>(n(y, x)));  // a colour is three waves, a third of a turn apart
  auto wave = 127.5 - 127.5 * cos(turn + cast<f32>(c) * 0.6);
  rgb(y, x, c) = cast<u8>(where(n(y, x) == limit, 0, wave));
};

int plain(double cr, double ci, int limit) {
  double zr = 0, zi = 0;
  for (int n = 0; n < limit; ++n) {
    const double r = zr * zr - zi * zi + cr;
    zi = 2 * zr * zi + ci;
    zr = r;
    if (!(zr * zr + zi * zi <= 4)) return n;
  }
  return limit;
}

int main(int argc, char** argv) {
  example::Run run("mandelbrot: written to mandelbrot.png", argc, argv);
  const std::size_t X = run.size(1536, 96), Y = run.size(1024, 64);
  const int limit = static_cast<int>(run.size(1000, 100));
  const double x0 = -2.2, y0 = -1.15, d = 3.45 / double(X);
  std::vector<std::int32_t> n(Y * X);

  const auto compute = [&] { mandelbrot(x0, y0, d, limit, view(n, {Y, X})); };
  compute();
  double turns = 0;
  for (std::int32_t count : n) turns += count;
  run.operations("mandelbrot, 7 a turn", 7 * turns, compute);
  const char* shades[] = {" ", "░", "▒", "▓", "█"};
  for (std::size_t i = 0; i < 24 * 72; ++i) {
    const int count = n[i / 72 * Y / 24 * X + i % 72 * X / 72];
    std::printf("%s%s", shades[(count > 2) + (count > 4) + (count > 9) + (count == limit)], i % 72 == 71 ? "\n" : "");
  }
  std::vector<std::uint8_t> rgb(Y * X * 3);
  paint(view(n, {Y, X}), limit, view(rgb, {Y, X, std::size_t{3}}));
  stbi_write_png("mandelbrot.png", static_cast<int>(X), static_cast<int>(Y), 3, rgb.data(), 0);

  // Near the border of the set f32 rounds to the other side: compared is where a hair's breadth changes nothing.
  for (std::size_t at : run.some(Y * X, 20'000)) {
    const double cr = x0 + double(at % X) * d, ci = y0 + double(at / X) * d, e = 2e-6;
    const int here = plain(cr, ci, limit);
    if (plain(cr - e, ci, limit) == here && plain(cr + e, ci, limit) == here && plain(cr, ci - e, limit) == here &&
        plain(cr, ci + e, limit) == here)
      run.expect(n[at], here);
  }
  return run.result();
}
