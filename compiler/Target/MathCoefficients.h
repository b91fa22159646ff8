//===- MathCoefficients.h - Minimax polynomials, lowest degree first -----===//
//
// Written by MathCoefficients.py, which says what each one approximates. The
// number beside each is its largest error relative to the function.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_MATHCOEFFICIENTS_H
#define NEREID_COMPILER_TARGET_MATHCOEFFICIENTS_H

namespace nereid::coefficients {

// 2^-28.3
constexpr double kExp2F32[] = {
    0x1.62e4300000000p-1, 0x1.ebfbdc0000000p-3,  0x1.c6af7c0000000p-5,
    0x1.3b2de40000000p-7, 0x1.5f08540000000p-10, 0x1.41679e0000000p-13,
};

// 2^-59.16
constexpr double kExp2F64[] = {
    0x1.62e42fefa39efp-1,  0x1.ebfbdff82c58ep-3,  0x1.c6b08d704a1d2p-5,
    0x1.3b2ab6fba5191p-7,  0x1.5d87fe7874f32p-10, 0x1.430912f75d6fap-13,
    0x1.ffcbfd459c5cfp-17, 0x1.62c0270204918p-20, 0x1.b5233a41a328dp-24,
    0x1.e4bc45a44465cp-28, 0x1.ec64c52deb44ap-32, 0x1.dfc56e49f1ae4p-36,
};

// 2^-30.93
constexpr double kExpm1F32[] = {
    0x1.0000000000000p-1, 0x1.5555540000000p-3,  0x1.5554f60000000p-5,
    0x1.1112f20000000p-7, 0x1.6d3bc80000000p-10, 0x1.9e39200000000p-13,
};

// 2^-64.2
constexpr double kExpm1F64[] = {
    0x1.0000000000000p-1,  0x1.5555555555555p-3,  0x1.5555555555555p-5,
    0x1.1111111111350p-7,  0x1.6c16c16c16ac9p-10, 0x1.a01a019edd78dp-13,
    0x1.a01a01a3718b9p-16, 0x1.71de3f1d639bdp-19, 0x1.27e4e463088f6p-22,
    0x1.ae536d3920769p-26, 0x1.1f62db531e3b3p-29, 0x1.77c1fe7af77c9p-33,
};

// 2^-29.94
constexpr double kLogF32[] = {
    0x1.5555480000000p-2,  -0x1.0000080000000p-2, 0x1.99a4720000000p-3,
    -0x1.555b860000000p-3, 0x1.233bc80000000p-3,  -0x1.fc40a00000000p-4,
    0x1.e6d12e0000000p-4,  -0x1.dd83000000000p-4, 0x1.13bef60000000p-4,
};

// 2^-35.01
constexpr double kAtanhF32[] = {
    0x1.5555540000000p-1,
    0x1.999c240000000p-2,
    0x1.23d4ca0000000p-2,
    0x1.f116300000000p-3,
};

// 2^-66.56
constexpr double kAtanhF64[] = {
    0x1.5555555555555p-1, 0x1.9999999999d10p-2, 0x1.24924924399f6p-2,
    0x1.c71c724b3956ap-3, 0x1.745ce1d887567p-3, 0x1.3b2021a8776fap-3,
    0x1.0f67866f49bc8p-3, 0x1.0f0b6d90978acp-3,
};

// 2^-45.88
constexpr double kAtanhTailF32[] = {
    0x1.99999a0000000p-2, 0x1.2491e60000000p-2, 0x1.c75f1c0000000p-3,
    0x1.6ad25a0000000p-3, 0x1.c167ca0000000p-3,
};

// 2^-77.29
constexpr double kAtanhTailF64[] = {
    0x1.999999999999ap-2,  0x1.249249249232cp-2, 0x1.c71c71c759830p-3,
    0x1.745d1719e85b4p-3,  0x1.3b13c3f5d7db2p-3, 0x1.110c1482ed74fp-3,
    0x1.e38ebc02c373ap-4,  0x1.82fb0c06456a9p-4, 0x1.04885a5ac470fp-2,
    -0x1.d532661f01b0ap-1,
};

// 2^-31.59
constexpr double kSinF32[] = {
    -0x1.5555560000000p-3,
    0x1.1111760000000p-7,
    -0x1.a05aaa0000000p-13,
    0x1.7c8bbe0000000p-19,
};

// 2^-63.25
constexpr double kSinF64[] = {
    -0x1.5555555555555p-3,  0x1.1111111111068p-7,   -0x1.a01a019ffe00dp-13,
    0x1.71de3a33198f9p-19,  -0x1.ae642b7a79cbcp-26, 0x1.610924c1014edp-33,
    -0x1.9fabef898bb76p-41,
};

// 2^-30.99
constexpr double kCosF32[] = {
    0x1.55554a0000000p-5,
    -0x1.6c0c820000000p-10,
    0x1.99ff960000000p-16,
};

// 2^-64.09
constexpr double kCosF64[] = {
    0x1.555555555554cp-5,   -0x1.6c16c16c1521ep-10, 0x1.a01a019cbf3d0p-16,
    -0x1.27e4f8128b84ap-22, 0x1.1ee9f1249e17ap-29,  -0x1.8fb10dc99ce6bp-37,
};

// 2^-29.11
constexpr double kTanF32[] = {
    0x1.5555620000000p-2, 0x1.110d280000000p-3, 0x1.baec920000000p-5,
    0x1.5c0d3c0000000p-6, 0x1.6635040000000p-7, -0x1.c3bb300000000p-16,
    0x1.226e640000000p-8,
};

// 2^-59.98
constexpr double kTanF64[] = {
    0x1.5555555555555p-2,   0x1.11111111111c3p-3,  0x1.ba1ba1ba0e700p-5,
    0x1.664f488678187p-6,   0x1.226e34c3697f1p-7,  0x1.d6d3f157712b9p-9,
    0x1.7da111979213dp-10,  0x1.357662a3cdee3p-11, 0x1.f3408110fd4a1p-13,
    0x1.a61dcbd18f00ep-14,  0x1.f1c7141152c90p-16, 0x1.1e068222a4b13p-15,
    -0x1.321fe946d55f3p-16, 0x1.af57827d6d81bp-16, -0x1.a5f3c9dca5cf7p-17,
    0x1.306a9726dd610p-18,
};

// 2^-33.68
constexpr double kAtanF32[] = {
    -0x1.5555540000000p-2, 0x1.9998900000000p-3,  -0x1.246fc00000000p-3,
    0x1.c2f2b00000000p-4,  -0x1.533e7a0000000p-4, 0x1.6446d00000000p-5,
};

// 2^-65.8
constexpr double kAtanF64[] = {
    -0x1.5555555555555p-2, 0x1.999999999988ap-3,  -0x1.2492492488d11p-3,
    0x1.c71c71c1c9d29p-4,  -0x1.745d16641ddfdp-4, 0x1.3b13993f9c6b5p-4,
    -0x1.110f5962b660ap-4, 0x1.e1b63bebdea84p-5,  -0x1.ada3283e51d7ap-5,
    0x1.7c953e46e20b8p-5,  -0x1.3afc21e46f535p-5, 0x1.9edb10a7c8fc0p-6,
    -0x1.2a6f2545086b6p-7,
};

// 2^-31.61
constexpr double kAsinF32[] = {
    0x1.55554c0000000p-3, 0x1.3338a20000000p-4, 0x1.6ca9e60000000p-5,
    0x1.04b6bc0000000p-5, 0x1.d71b1e0000000p-7, 0x1.33feb00000000p-5,
};

// 2^-63.1
constexpr double kAsinF64[] = {
    0x1.5555555555553p-3,  0x1.33333333339f0p-4,  0x1.6db6db6d4ba7fp-5,
    0x1.f1c71ca73bf39p-6,  0x1.6e8b9b0c1bd9dp-6,  0x1.1c4f83aa647d4p-6,
    0x1.c9810c9d5437fp-7,  0x1.7ba2bef8c3dedp-7,  0x1.36cbd714dab3cp-7,
    0x1.47e371d4e56e3p-7,  0x1.6ac1701d75bf3p-11, 0x1.96755dd412b8ep-6,
    -0x1.ac1be18040fefp-6, 0x1.13880dd9a94b6p-5,
};

// 2^-27.79
constexpr double kErfF32[] = {
    0x1.06eba80000000p-3,  -0x1.8127400000000p-2,  0x1.ce2d760000000p-4,
    -0x1.b804840000000p-6, 0x1.5486400000000p-8,   -0x1.a9c70c0000000p-11,
    0x1.6ae2f60000000p-14, -0x1.2f858a0000000p-19,
};

// 2^-56.33
constexpr double kErfF64[] = {
    0x1.06eba8214db69p-3,   -0x1.812746b037a2bp-2,  0x1.ce2f21a046545p-4,
    -0x1.b82ce313bbbc1p-6,  0x1.565bcd440cfc4p-8,   -0x1.c02dbf30f15aep-11,
    0x1.f9a4a781118c8p-14,  -0x1.f4f5012ed68e7p-17, 0x1.bc0a5ce3ed5d1p-20,
    -0x1.76af1ca2cfd59p-23, 0x1.a8d19f538fcd3p-26,  -0x1.e7eff20e8e139p-28,
    0x1.2309b01b9f026p-29,  -0x1.59a6fef52716fp-32,
};

// 2^-25.12
constexpr double kErfcF32[] = {
    0x1.3ba5920000000p+0,  -0x1.1df1ae0000000p-3, 0x1.f7dc4a0000000p-7,
    0x1.16ebd80000000p-4,  -0x1.9dabb40000000p-4, 0x1.801a7e0000000p-4,
    -0x1.1081ec0000000p-4, 0x1.2db27c0000000p-5,  -0x1.0820e60000000p-6,
    0x1.7756460000000p-8,  0x1.8aa6600000000p-15,
};

// 2^-54.57
constexpr double kErfcF64[] = {
    0x1.3ba5916e9fd7fp+0,   -0x1.1df1ad154a28ep-3,  0x1.f7f5df66fb03ep-7,
    0x1.16ecefcfa5382p-4,   -0x1.9ddb23c3d4bfcp-4,  0x1.7fee004e128cbp-4,
    -0x1.0fb06e00586afp-4,  0x1.3079edf66567fp-5,   -0x1.09623816ce73ep-6,
    0x1.49c6729cee790p-8,   -0x1.8d4b05e3d4608p-11, -0x1.a1df474278d6fp-13,
    0x1.3be87f60b18a6p-13,  -0x1.99523dabc2ee5p-16, -0x1.7a249c1fc6011p-17,
    0x1.7eb871235bf32p-18,  0x1.a2d188daa6f50p-22,  -0x1.b2740d2a9014dp-21,
    -0x1.9034dceefa715p-25, 0x1.7331370b9aae0p-24,  0x1.26044bc8ed74ap-24,
    0x1.5b945131dc3e5p-28,  -0x1.a9611257010cbp-26, -0x1.6fc76c95d22f3p-28,
};

// 2^-28.73
constexpr double kErfTailF32[] = {
    -0x1.0b9ffe0000000p-11, -0x1.a03ffe0000000p+0, -0x1.d76dc80000000p-1,
    -0x1.3074420000000p-3,  0x1.01bfba0000000p-5,  -0x1.160a260000000p-8,
    0x1.18ef0a0000000p-12,
};

} // namespace nereid::coefficients

#endif // NEREID_COMPILER_TARGET_MATHCOEFFICIENTS_H
