// RUN: nereid-opt %s -nrd-import --split-input-file --verify-diagnostics

tt.func public @kernel(%x: i32) {
  tt.call @even(%x) : (i32) -> ()
  tt.return
}
tt.func private @even(%x: i32) {
  tt.call @odd(%x) : (i32) -> ()
  tt.return
}
tt.func private @odd(%x: i32) {
  // expected-error @+1 {{'tt.call' op calls @even from within it; no target has recursion}}
  tt.call @even(%x) : (i32) -> ()
  tt.return
}

// -----

tt.func public @kernel(%x: i32) {
  // expected-error @+1 {{'tt.call' op calls @elsewhere, which has no body}}
  tt.call @elsewhere(%x) : (i32) -> ()
  tt.return
}
tt.func private @elsewhere(i32)
