// RUN: nereid-opt %s --nrd-allocate-shared --verify-diagnostics --split-input-file

!ring = !tgpu.tile<128x64xf16, offset = [[0, 1], [0, 2], [0, 4], [0, 8],
  [0, 16], [0, 32], [1, 0], [2, 0], [4, 0], [8, 0], [16, 0], [32, 0], [64, 0]],
  buffers = 16>

module attributes {nrd.target = "sm_90a", nrd.num_warps = 4 : i32} {
  tt.func public @large() {
    // expected-error@+2 {{'large' needs 262144 bytes of shared memory; sm_90a has 232448 per block: use fewer stages (num_stages; 262144 bytes hold data loaded ahead) or smaller blocks}}
    // expected-note@+1 {{262144 bytes for 128x64 of 'f16', 16 times}}
    %0 = tgpu.local_alloc : () -> !ring
    tt.return
  }
}

// -----

!tile = !tgpu.tile<256x256xf32, offset = [[0, 1], [0, 2], [0, 4], [0, 8],
  [0, 16], [0, 32], [0, 64], [0, 128], [1, 0], [2, 0], [4, 0], [8, 0], [16, 0],
  [32, 0], [64, 0], [128, 0]]>

module attributes {nrd.target = "sm_80", nrd.num_warps = 4 : i32} {
  tt.func public @block() {
    // expected-error@+2 {{'block' needs 262144 bytes of shared memory; sm_80 has 166912 per block: use smaller blocks}}
    // expected-note@+1 {{262144 bytes for 256x256 of 'f32'}}
    %0 = tgpu.local_alloc : () -> !tile
    tt.return
  }
}
