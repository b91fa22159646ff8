// What AddressSanitizer starts with in every program of a sanitizer build;
// ASAN_OPTIONS adds to it.
//
// LLVM's bump allocators poison by hand what they have not handed out yet, if
// the including file is compiled with AddressSanitizer, and lift the poison as
// they hand memory out. libLLVM and lld are not compiled so: they hand out
// memory of slabs that an instrumented copy of the same template poisoned, and
// never lift the poison. Poisoning by hand is therefore off; nothing of
// Nereid's own does it.
//
// LLVM gives a thread that installs its signal handlers an alternate stack of
// its own, which AddressSanitizer would take for the one it made, and unmap.
//
// All else that the sanitizer checks stays on.
extern "C" __attribute__((visibility("default"), used)) const char *
__asan_default_options() {
  return "allow_user_poisoning=0:use_sigaltstack=0";
}

// What the vendors' drivers keep until the process ends is theirs, and so is
// OpenMP's record of each thread that ever ran a grid.
extern "C" __attribute__((visibility("default"), used)) const char *
__lsan_default_suppressions() {
  return "leak:libamdhip64\nleak:libhsa-runtime64\nleak:libcuda\n"
         "leak:libomp\n";
}
