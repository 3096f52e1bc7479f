// Owns the polynomial coefficients of the mathematical functions; written by derive_coefficients.py.
#pragma once

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit::math::detail {

/// Weighted error 2^-28.2 on [-0.347267, 0.347267].
inline constexpr double exp_f32[] = {0x1.fffffc0000000p-2, 0x1.5554920000000p-3, 0x1.5558bc0000000p-5,
                                     0x1.1239c60000000p-7, 0x1.6a41540000000p-10};

/// Weighted error 2^-28.3 on [-0.501, 0.501].
inline constexpr double exp2_f32[] = {0x1.62e4300000000p-1, 0x1.ebfbdc0000000p-3,  0x1.c6af7a0000000p-5,
                                      0x1.3b2de00000000p-7, 0x1.5f09a40000000p-10, 0x1.416de80000000p-13};

/// Weighted error 2^-31.1 on [-0.347267, 0.347267].
inline constexpr double expm1_f32[] = {0x1.0000000000000p-1, 0x1.5555560000000p-3,  0x1.5554f60000000p-5,
                                       0x1.1110040000000p-7, 0x1.6d3cd20000000p-10, 0x1.a2430e0000000p-13};

/// Weighted error 2^-27.6 on [-0.333333, 0.333333].
inline constexpr double log_f32[] = {-0x1.0000000000000p-1, 0x1.55550c0000000p-2,  -0x1.fffe5e0000000p-3,
                                     0x1.99ce340000000p-3,  -0x1.55b7f00000000p-3, 0x1.1ef2520000000p-3,
                                     -0x1.f03b040000000p-4, 0x1.1df0260000000p-3,  -0x1.0e2d180000000p-3};

/// Weighted error 2^-27.1 on [-0.333333, 0.333333].
inline constexpr double log2_f32[] = {-0x1.7154780000000p-1, 0x1.ec702a0000000p-2,  -0x1.7152700000000p-2,
                                      0x1.279e840000000p-2,  -0x1.ed23e00000000p-3, 0x1.9dc7b60000000p-3,
                                      -0x1.64a62e0000000p-3, 0x1.9d607c0000000p-3,  -0x1.89fa200000000p-3};

/// Weighted error 2^-30.8 on [0, 1.05].
inline constexpr double tanh_f32[] = {-0x1.5555520000000p-2,  0x1.11103a0000000p-3,  -0x1.b9f64c0000000p-5,
                                      0x1.64b98c0000000p-6,   -0x1.18b5440000000p-7, 0x1.8ea8b20000000p-9,
                                      -0x1.ac0e9e0000000p-11, 0x1.e1c66c0000000p-14};

/// Weighted error 2^-29.7 on [0, 0.74].
inline constexpr double erf_small_f32[] = {0x1.06eba80000000p-3,  -0x1.8127400000000p-2, 0x1.ce2d580000000p-4,
                                           -0x1.b7fe8e0000000p-6, 0x1.541f2c0000000p-8,  -0x1.a3cfb80000000p-11,
                                           0x1.45398e0000000p-14};

/// Weighted error 2^-29.4 on [0.84, 4].
inline constexpr double erf_large_f32[] = {0x1.0761320000000p-3,  0x1.454b420000000p-1, 0x1.b1d5d60000000p-4,
                                           -0x1.80afe00000000p-6, 0x1.cb7edc0000000p-9, -0x1.2e6eba0000000p-12,
                                           0x1.033f400000000p-17};

/// Weighted error 2^-36.8 on [9.09495e-13, 0.0294667].
inline constexpr double pow_f32[] = {0x1.27770e0000000p-1, 0x1.a5bbf20000000p-2, 0x1.59ef520000000p-2};

/// Weighted error 2^-32.5 on [0, 0.629249].
inline constexpr double sin_f32[] = {-0x1.5555560000000p-3, 0x1.1111740000000p-7, -0x1.a058e40000000p-13,
                                     0x1.7bf19c0000000p-19};

/// Weighted error 2^-33.1 on [0, 0.629249].
inline constexpr double cos_f32[] = {0x1.55554a0000000p-5, -0x1.6c0c1c0000000p-10, 0x1.99e1d60000000p-16};

/// Where the ranges of trig.hpp begin, what arguments of each are scaled by, and their chunks of 2/pi, scaled up.
inline constexpr double range_start_f32[] = {0, 0x1p60, 0x1p94};
inline constexpr double range_scale_f32[] = {0x1p-0, 0x1p-40, 0x1p-80};
inline constexpr double two_over_pi_f32[3][5] = {
    {0x1.45f3060000000p-1, 0x1.b939100000000p-26, 0x1.529fc00000000p-52, 0x1.3abe880000000p-75, 0x1.ea69ba0000000p-97},
    {0x1.c882a00000000p+3, 0x1.4fe13a0000000p-19, 0x1.7d1f500000000p-44, 0x1.a6ee060000000p-67, 0x1.b629580000000p-92},
    {0x1.84eafa0000000p+11, 0x1.f534d00000000p-16, 0x1.b81b6c0000000p-37, 0x1.4acc980000000p-63,
     0x1.8872080000000p-85}};

/// Weighted error 2^-57.9 on [-0.347267, 0.347267].
inline constexpr double exp_f64[] = {
    0x1.000000000000ap-1,  0x1.5555555555501p-3,  0x1.5555555550697p-5,  0x1.111111112647cp-7,  0x1.6c16c18488df5p-10,
    0x1.a01a0131512b0p-13, 0x1.a0199916db6f3p-16, 0x1.71df16c47f345p-19, 0x1.28ae52642ea5cp-22, 0x1.ad95dd9706146p-26};

/// Weighted error 2^-57.7 on [-0.501, 0.501].
inline constexpr double exp2_f64[] = {0x1.62e42fefa39efp-1,  0x1.ebfbdff82c59dp-3,  0x1.c6b08d704a0d4p-5,
                                      0x1.3b2ab6fba0f70p-7,  0x1.5d87fe78b3819p-10, 0x1.4309130c81877p-13,
                                      0x1.ffcbfbfaf2d8ep-17, 0x1.62bfcc99f94b8p-20, 0x1.b52606e72f26fp-24,
                                      0x1.e613d668a19c0p-28, 0x1.e81c1f4536836p-32};

/// Weighted error 2^-61.7 on [-0.347267, 0.347267].
inline constexpr double expm1_f64[] = {0x1.0000000000000p-1,  0x1.5555555555559p-3,  0x1.5555555555557p-5,
                                       0x1.111111110f632p-7,  0x1.6c16c16c156c6p-10, 0x1.a01a01b01ac7bp-13,
                                       0x1.a01a01ab7c9d9p-16, 0x1.71ddf7c231eedp-19, 0x1.27e4d013050ccp-22,
                                       0x1.af5fcd8e1ec8dp-26, 0x1.1f861bedbb697p-29};

/// Weighted error 2^-56.8 on [-0.333333, 0.333333].
inline constexpr double log_f64[] = {
    -0x1.ffffffffffff9p-2, 0x1.5555555555512p-2,  -0x1.00000000013a2p-2, 0x1.99999999a63f4p-3,  -0x1.555555536a570p-3,
    0x1.2492491dd6694p-3,  -0x1.000000acc4094p-3, 0x1.c71c755f0ea3bp-4,  -0x1.99995768e7e9cp-4, 0x1.745c894953abbp-4,
    -0x1.555ce62a2cd73p-4, 0x1.3b2149793adf9p-4,  -0x1.24089f651b5a9p-4, 0x1.103c38c120d7ap-4,  -0x1.061bc44e69913p-4,
    0x1.f273d018d602fp-5,  -0x1.73c81b7fbe810p-5, 0x1.4aa2a736e3215p-5,  -0x1.63e29f5b6a8ddp-4, 0x1.666e150cefd09p-4};

/// Weighted error 2^-56.2 on [-0.333333, 0.333333].
inline constexpr double log2_f64[] = {
    -0x1.71547652b82f9p-1, 0x1.ec709dc3a039cp-2,  -0x1.71547652b9f6fp-2, 0x1.2776c50f02e47p-2,  -0x1.ec709dc0da196p-3,
    0x1.a617629df3129p-3,  -0x1.7154774c64766p-3, 0x1.484b167019c65p-3,  -0x1.2776954165a4cp-3, 0x1.0c9a1e1762fe0p-3,
    -0x1.ec7b8a61a27d3p-4, 0x1.c6a2f6987e0e2p-4,  -0x1.a550a961f0494p-4, 0x1.88c07bec405acp-4,  -0x1.7a2568cfc22b2p-4,
    0x1.678fa87afa03dp-4,  -0x1.0c2b2dac491dcp-4, 0x1.dcfa09ee727a9p-5,  -0x1.00bb0943f5e7bp-3, 0x1.02909623e9edbp-3};

/// Weighted error 2^-58.6 on [0, 1.05].
inline constexpr double tanh_f64[] = {
    -0x1.555555555554ap-2,  0x1.11111111106fep-3,  -0x1.ba1ba1b9b6de7p-5,  0x1.664f4872baf94p-6,
    -0x1.226e33d7d7232p-7,  0x1.d6d3a0149972fp-9,  -0x1.7da14618c08c8p-10, 0x1.35472945470e5p-11,
    -0x1.f4b3f1d8c81e9p-13, 0x1.92fa3a5c5bf3cp-14, -0x1.3d8e21517df53p-15, 0x1.d82aa16bb6732p-17,
    -0x1.357e42024152ep-18, 0x1.42e806cc4041bp-20, -0x1.cb48300ffc6bdp-23, 0x1.44613626013fep-26};

/// Weighted error 2^-56.2 on [0, 0.74].
inline constexpr double erf_small_f64[] = {0x1.06eba8214db69p-3,   -0x1.812746b037a2fp-2,  0x1.ce2f21a046835p-4,
                                           -0x1.b82ce313c373ep-6,  0x1.565bcd430a92cp-8,   -0x1.c02dbe40e7f97p-11,
                                           0x1.f9a464e391050p-14,  -0x1.f4eaf80f1a826p-17, 0x1.bb1d203abd84ep-20,
                                           -0x1.68c1105188238p-23, 0x1.2469273e9f901p-26,  -0x1.b1cba4e26c06cp-30};

/// Weighted error 2^-59.2 on [0.84, 6].
inline constexpr double erf_large_f64[] = {
    0x1.06ebabeb2e442p-3,   0x1.45f2fb421076bp-1,   0x1.a4f6f868d552ep-4,   -0x1.398474095efd0p-6,
    -0x1.911dc0ec41fe9p-13, 0x1.b3ddbfaad6462p-10,  -0x1.1c0e9fad68805p-11, -0x1.e8d8288a78adbp-16,
    0x1.e0883fc9dbe0cp-14,  -0x1.163b1a205ecd6p-14, 0x1.9fdbec3ac7382p-16,  -0x1.cf85684920de1p-18,
    0x1.902e1027e811cp-20,  -0x1.0cbb17a66d167p-22, 0x1.14962ea4d94fap-25,  -0x1.a627b76e49bbep-29,
    0x1.c21cb6f8d6b20p-33,  -0x1.2af8cffcc6b25p-37, 0x1.73eef2692ce0cp-43};

/// Weighted error 2^-73.4 on [9.09495e-13, 0.0294667].
inline constexpr double pow_f64[] = {0x1.2776c50ef9bfcp-1, 0x1.a61762a7aede3p-2, 0x1.484b13d6ac669p-2,
                                     0x1.0c9a853b46d95p-2, 0x1.c68ee92c277e8p-3, 0x1.8a09c07169609p-3,
                                     0x1.58fc0ed831449p-3, 0x1.61f769d60d147p-3};

/// Weighted error 2^-63.2 on [0, 0.629249].
inline constexpr double sin_f64[] = {-0x1.5555555555555p-3, 0x1.111111111106ap-7,   -0x1.a01a019ffeb44p-13,
                                     0x1.71de3a346a26ap-19, -0x1.ae642da995a99p-26, 0x1.610acd7fc2ef8p-33,
                                     -0x1.a09ce7c3d48a1p-41};

/// Weighted error 2^-63.9 on [0, 0.629249].
inline constexpr double cos_f64[] = {0x1.555555555554ap-5,   -0x1.6c16c16c14dc5p-10, 0x1.a01a019c51924p-16,
                                     -0x1.27e4f7c276dd8p-22, 0x1.1ee9ba2154c86p-29,  -0x1.8f9449d1cd36ep-37};

/// Where the ranges of trig.hpp begin, what arguments of each are scaled by, and their chunks of 2/pi, scaled up.
inline constexpr double range_start_f64[] = {0,       0x1p145, 0x1p235, 0x1p325, 0x1p415, 0x1p505,
                                             0x1p595, 0x1p685, 0x1p775, 0x1p865, 0x1p955};
inline constexpr double range_scale_f64[] = {0x1p-0,   0x1p-0,   0x1p-0,   0x1p-0,   0x1p-400, 0x1p-400,
                                             0x1p-400, 0x1p-400, 0x1p-400, 0x1p-400, 0x1p-400};
inline constexpr double two_over_pi_f64[11][5] = {
    {0x1.45f306dc9c882p-1, 0x1.4a7f09d5f47d4p-54, 0x1.a6ee06db14accp-107, 0x1.3c439041fe516p-160,
     0x1.d5ef5de2b0db8p-215},
    {0x1.1f534ddc0db62p-92, 0x1.2b3278872083ep-145, 0x1.ca2c757bd778ap-197, 0x1.86dc91b8e9093p-250,
     0x1.d2e006492eea0p-304},
    {0x1.07f9458eaf7a0p-186, 0x1.de2b0db92371cp-235, 0x1.2126e97003249p-287, 0x1.dd413a32439fcp-341,
     0x1.deb1cb129a738p-396},
    {0x1.b8e909374b800p-274, 0x1.924bba8274648p-326, 0x1.cfe1deb1cb128p-380, 0x1.a73ee88235f50p-432,
     0x1.75da24274ce38p-483},
    {0x1.a32439fc3bd63p+39, 0x1.2c4a69cfba208p-14, 0x1.afa975da24274p-67, 0x1.9c7026b45f7e4p-120,
     0x1.3991d63983530p-176},
    {0x1.4411afa975da2p-51, 0x1.09d338e04d68ap-105, 0x1.efc827323ac73p-157, 0x1.a99cfa4e422e0p-215,
     0x1.c5defc941d8ffp-263},
    {0x1.ad17df904e646p-142, 0x1.58e60d4ce7d27p-194, 0x1.08bf177bf2504p-249, 0x1.b1ff897ffde05p-300,
     0x1.301fde5e2316bp-353},
    {0x1.f49c845f8bbdep-232, 0x1.9283b1ff897ffp-284, 0x1.bc0b301fde5e2p-337, 0x1.8b5a0a6d1f6d0p-392,
     0x1.b3f6793e584dbp-443},
    {0x1.2fffbc0b301fdp-321, 0x1.cbc462d6829b4p-374, 0x1.f6d367ecf27cap-428, 0x1.09b74f463f669p-480,
     0x1.cbfd45aea4f75p-533},
    {0x1.4da3eda6cfd9cp-413, 0x1.27cb09b74f463p-464, 0x1.ecd3cbfd45aeap-517, 0x1.3dd63f5f2f8bcp-571,
     0x1.9e839cfbc5294p-623},
    {0x1.e8c7ecd3cbfd4p-501, 0x1.6ba93dd63f5f2p-555, 0x1.f17b3d0739f78p-608, 0x1.4a525d4d7f6bep-661,
     0x1.623f1aba10ac0p-713}};

}  // namespace jit::math::detail
TESSERA_END
