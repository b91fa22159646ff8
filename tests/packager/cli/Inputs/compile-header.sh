# Compiles both headers of header.test as C11 and C++17 with what compilers
# there are, and runs the programs: compile-header.sh REPOSITORY FOLDER
cd "$2" || exit 1
cat > use.c <<'C'
#include "k.h"
#include "e.h"
int main(void) {
  demo_t kernels;
  emb_t embedded;
  float x[8] = {0}, y[8] = {0}, out[8] = {0};
  nrd_device_t *device = NULL;
  nrd_call_t *call = NULL;
  if (nrd_device_open("null", &device) != NRD_OK ||
      demo_open(device, "k.nrd", &kernels) != NRD_OK ||
      emb_open(device, &embedded) != NRD_OK)
    return 1;
  if (demo_add_launch(&kernels, NULL, x, y, out, 8) != NRD_OK ||
      emb_matmul_f16_bind(&embedded, x, y, out, 16, 16, 16, 1.0f, &call) !=
          NRD_OK ||
      emb_matmul_f16_set_M(call, 32) != NRD_OK ||
      nrd_call_launch(call, NULL) != NRD_OK)
    return 2;
  nrd_call_destroy(call);
  demo_close(&kernels);
  emb_close(&embedded);
  nrd_device_close(device);
  return 0;
}
C
cat > use.cpp <<'C'
#include "k.h"
#include "e.h"
int main() {
  float x[8] = {}, y[8] = {}, out[8] = {};
  auto device = nereid::Device::open("null").value();
  auto kernels = demo::Kernels::open(device, "k.nrd").value();
  kernels.add(nullptr, x, y, out, 8).check();
  auto call = kernels.add_bind(x, y, out, 8).value();
  call.launch().check();
  auto embedded = emb::Kernels::open(device).value();
  embedded.preload().check();
  embedded.matmul_f16(nullptr, x, y, out, 16, 16, 16, 1.0f).check();
  return 0;
}
C
flags="-Wall -Wextra -Wpedantic -Werror -I$1/include -I."
status=0
try() {
  command -v "$1" >/dev/null 2>&1 || return 0
  "$@" || status=1
}
for c in gcc clang-22; do
  try $c -std=c11 $flags -c use.c -o use-$c.o
  try $c -std=c11 $flags -c e.c -o e-$c.o
done
for c in g++ clang++-22; do
  try $c -std=c++17 $flags -c use.cpp -o use-$c.o
done
[ $status = 0 ] || exit 1

# And run, where the runtime was built without a sanitizer.
libraries=$(dirname "$(command -v nereid-fake)")/../lib
[ -e "$libraries/libnereid.so" ] || exit 0
grep -q __asan_init "$libraries/libnereid.so" && exit 0
for c in gcc g++; do
  $c use-$c.o e-gcc.o -L"$libraries" -lnereid -o use-$c || exit 1
  LD_LIBRARY_PATH=$libraries ./use-$c || { echo "use-$c: exit status $?"; exit 1; }
done
