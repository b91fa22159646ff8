// RUN: nereid-opt %s -nrd-lower-descriptors --verify-diagnostics

tt.func public @f(%d: !tt.tensordesc<8xf16>, %i: i32, %x: tensor<8xf16>) {
  // expected-error @+1 {{'tt.descriptor_reduce' op max of 'f16' needs hardware for tensor descriptors, which this target has not; add, and, or, xor, and integer min and max are possible}}
  tt.descriptor_reduce max, %d[%i], %x : !tt.tensordesc<8xf16>, tensor<8xf16>
  tt.return
}
