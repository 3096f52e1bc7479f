// A sparse matrix of dense blocks (block sparse rows) times a dense matrix.
#include <tessera/tessera.hpp>

#include <algorithm>

#include "support/support.hpp"

using namespace tessera;

inline constexpr Dim<"BN"> BN;

TESSERA_KERNEL(bsr)(Kernel k, In<i32, "R+1"> row, In<i32, "P"> col, In<f32, "P", "E", "F"> v, In<f32, "K", "N"> b,
                    Out<f32, "M", "N"> c) {
  k.expects(k.extent<"M">() == k.extent<"R">() * k.extent<"E">(), "M is R blocks of E rows");
  auto r = k.index<"R">();
  auto n = k.block<"N">(BN);
  auto e = k.all<"E">(), f = k.all<"F">();
  Var acc = k.zeros<f32>(e, n);
  for (auto p : k.range(row(r), row(r + 1))) acc += dot(v(p, e, f), b(col(p) * k.extent<"F">() + f, n));
  c(r * k.extent<"E">() + e, n) = acc;
};

int main(int argc, char** argv) {
  example::Run run("bsr: block sparse rows times a dense matrix", argc, argv);
  const std::size_t R = run.size(256, 9), C = run.size(256, 11), E = 16, F = 16, N = run.size(512, 75);
  std::vector<std::int32_t> row{0}, col;
  for (std::size_t r = 0; r < R; ++r) {
    for (std::size_t c : run.some(C, C))
      if (run.random(1, 0, 1)[0] < 0.1 && r != 1) col.push_back(static_cast<std::int32_t>(c));  // row 1 is empty
    row.push_back(static_cast<std::int32_t>(col.size()));
  }
  const std::size_t P = col.size();
  const auto v = run.random(P * E * F), b = run.random(C * F * N);
  std::vector<float> c(R * E * N);

  run.operations("bsr", 2.0 * P * E * F * N,
                 [&] { bsr(row, col, view(v, {P, E, F}), view(b, {C * F, N}), view(c, {R * E, N})); });

  for (std::size_t at : run.some(c.size(), 20'000)) {
    const std::size_t n = at % N, e = at / N % E, r = at / N / E;
    double sum = 0;
    for (std::size_t p = row[r]; p < static_cast<std::size_t>(row[r + 1]); ++p)
      for (std::size_t f = 0; f < F; ++f) sum += double{v[(p * E + e) * F + f]} * b[(col[p] * F + f) * N + n];
    run.expect(c[at], sum, 1e-5);
  }
  return run.result();
}
