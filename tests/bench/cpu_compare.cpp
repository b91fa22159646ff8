// cpu_compare.cpp - our CPU kernels beside their peers, in one process.
//
//   cpu_compare PACK [--json FILE] [--device cpu:x86-64-v3] [--rounds N]
//               [--only TEXT]
//
// Each row times both sides in turn, round by round, and prints the medians.
// The bars are what the project promises; a row below its bar is marked, and
// the exit status is 0 all the same: this program measures, it does not judge.

#include "nereid/runtime.h"
#include "tests/bench/peers.h"

#include <cblas.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

struct Row {
  std::string name, unit;
  double ours, peer, bar;
};

struct Options {
  std::string pack, json, device = "cpu", only;
  int rounds = 9;
};

[[noreturn]] void fail(const std::string &what) {
  std::fprintf(stderr, "error: %s\n", what.c_str());
  std::exit(1);
}

void check(nrd_status_t status) {
  if (status != NRD_OK)
    fail(std::string(nrd_status_name(status)) + ": " + nrd_error_message());
}

// Both sides get their memory here: page-aligned, in huge pages where there
// are any, touched before it is timed.
class Array {
public:
  explicit Array(size_t count, bool random = true) : count(count) {
    void *memory = mmap(nullptr, bytes(), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      fail("out of memory");
    madvise(memory, bytes(), MADV_HUGEPAGE);
    data = static_cast<float *>(memory);
    uint32_t state = 1;
    for (size_t i = 0; i < count; ++i) {
      state = state * 1664525u + 1013904223u;
      data[i] = random ? static_cast<float>(state >> 8) * 0x1p-23f - 1 : 0;
    }
  }
  ~Array() { munmap(data, bytes()); }
  Array(const Array &) = delete;
  Array &operator=(const Array &) = delete;
  operator float *() const { return data; }
  size_t bytes() const { return count * sizeof(float); }

private:
  size_t count;
  float *data;
};

double seconds(const std::function<void()> &work, int times) {
  auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < times; ++i)
    work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
             .count() /
         times;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle]
                           : (values[middle - 1] + values[middle]) / 2;
}

// Threads of the other side's pool spin for a while after their work; without
// this pause they would be timed as load on this one.
void settle() { std::this_thread::sleep_for(std::chrono::milliseconds(250)); }

class Bench {
public:
  explicit Bench(const Options &options) : options(options) {
    check(nrd_device_open(options.device.c_str(), &device));
    check(nrd_pack_open_file(options.pack.c_str(), nullptr, &pack));
    std::printf("device    %s: %s\n", nrd_device_name(device),
                nrd_device_description(device));
    std::printf("OpenBLAS  %s, kernel %s\n", openblas_get_config(),
                openblas_get_corename());
    std::printf("%d rounds, ours and the peer's in turn; medians\n\n",
                options.rounds);
    std::printf("%-30s %10s %10s %-8s %6s  %s\n", "", "ours", "peer", "unit",
                "ratio", "bar");
  }
  ~Bench() {
    nrd_pack_close(pack);
    nrd_device_close(device);
  }
  Bench(const Bench &) = delete;
  Bench &operator=(const Bench &) = delete;

  void setThreads(int count) {
    threads = count;
    nrd_device_set_threads(device, static_cast<uint32_t>(count));
    openblas_set_num_threads(count);
  }

  nrd_call_t *call(const char *name) {
    const nrd_kernel_t *kernel;
    nrd_call_t *made;
    check(nrd_kernel_find(pack, device, name, &kernel));
    check(nrd_call_create(kernel, &made));
    return made;
  }

  bool wanted(const std::string &name) const {
    return name.find(options.only) != std::string::npos;
  }

  // `amount` is the work of one run in `unit` times seconds.
  void compare(const std::string &what, const char *unit, double amount,
               double bar, const std::function<void()> &ours,
               const std::function<void()> &peer) {
    std::string name = what + ", " + std::to_string(threads) +
                       (threads == 1 ? " thread" : " threads");
    ours(), peer();
    // About 0.15 s of work for each side and round.
    auto repeats = [](double once) {
      return std::max(1, static_cast<int>(0.15 / once));
    };
    int ourTimes = repeats(seconds(ours, 1));
    int peerTimes = repeats(seconds(peer, 1));
    std::vector<double> ourTime, peerTime;
    for (int round = 0; round < options.rounds; ++round) {
      settle(), ours();
      ourTime.push_back(seconds(ours, ourTimes));
      settle(), peer();
      peerTime.push_back(seconds(peer, peerTimes));
    }
    Row row{name, unit, amount / median(ourTime), amount / median(peerTime),
            bar};
    double ratio = row.ours / row.peer;
    std::printf("%-30s %10.1f %10.1f %-8s %6.2f  %.2f%s\n", name.c_str(),
                row.ours, row.peer, unit, ratio, bar,
                ratio < bar ? "  BELOW" : "");
    std::fflush(stdout);
    rows.push_back(row);
  }

  void softmax();
  void layerNorm();
  void matmul(int size);
  void attention();
  void writeJson() const;

private:
  Options options;
  int threads = 1;
  nrd_device_t *device = nullptr;
  nrd_pack_t *pack = nullptr;
  std::vector<Row> rows;

  // The peer of a kernel that reads and writes `floats` numbers in all.
  struct Triad {
    size_t count;
    Array a, b, c;
    explicit Triad(size_t floats)
        : count(floats / 3), a(count, false), b(count), c(count) {}
  };
};

constexpr int kRows = 4096, kColumns = 4096;
constexpr size_t kElements = static_cast<size_t>(kRows) * kColumns;

void expectClose(const char *what, double ours, double reference,
                 double tolerance) {
  if (!(std::fabs(ours - reference) <= tolerance))
    fail(std::string(what) + ": the results differ: " + std::to_string(ours) +
         " and " + std::to_string(reference));
}

void Bench::softmax() {
  if (!wanted("softmax"))
    return;
  Array in(kElements), out(kElements, false);
  Triad triad(2 * kElements);
  nrd_call_t *launch = call("row_softmax");
  check(nrd_call_set_pointer(launch, 0, out));
  check(nrd_call_set_pointer(launch, 1, in));
  check(nrd_call_set_int(launch, 2, kColumns));
  check(nrd_call_set_int(launch, 3, kColumns));
  check(nrd_call_set_int(launch, 4, kColumns));
  check(nrd_call_set_grid(launch, kRows, 1, 1));
  compare(
      "softmax 4096x4096 fp32", "GB/s", 2.0 * kElements * 4 / 1e9, 0.8,
      [&] { check(nrd_call_launch(launch, nullptr)); },
      [&] { peer_triad(triad.a, triad.b, triad.c, 3, triad.count, threads); });
  double sum = 0;
  for (int i = 0; i < kColumns; ++i)
    sum += out[i];
  expectClose("softmax", sum, 1, 1e-4);
  nrd_call_destroy(launch);
}

void Bench::layerNorm() {
  if (!wanted("layer norm"))
    return;
  Array x(kElements), y(kElements, false), w(kColumns), b(kColumns),
      mean(kRows, false), rstd(kRows, false);
  Triad triad(2 * kElements);
  nrd_call_t *launch = call("layer_norm");
  float *pointers[] = {x, w, b, y, mean, rstd};
  for (uint32_t slot = 0; slot < 6; ++slot)
    check(nrd_call_set_pointer(launch, slot, pointers[slot]));
  check(nrd_call_set_int(launch, 6, kColumns));
  check(nrd_call_set_int(launch, 7, kColumns));
  check(nrd_call_set_float(launch, 8, 1e-5));
  check(nrd_call_set_grid(launch, kRows, 1, 1));
  compare(
      "layer norm 4096x4096 fp32", "GB/s", 2.0 * kElements * 4 / 1e9, 0.8,
      [&] { check(nrd_call_launch(launch, nullptr)); },
      [&] { peer_triad(triad.a, triad.b, triad.c, 3, triad.count, threads); });
  double sum = 0, squares = 0;
  for (int i = 0; i < kColumns; ++i)
    sum += x[i], squares += static_cast<double>(x[i]) * x[i];
  double average = sum / kColumns;
  double scale = 1 / std::sqrt(squares / kColumns - average * average + 1e-5);
  expectClose("layer norm", y[5], (x[5] - average) * scale * w[5] + b[5], 1e-4);
  nrd_call_destroy(launch);
}

void Bench::matmul(int size) {
  std::string name = "matmul " + std::to_string(size) + " fp32";
  if (!wanted(name))
    return;
  size_t count = static_cast<size_t>(size) * size;
  Array a(count), b(count), ours(count, false), theirs(count, false);
  nrd_call_t *launch = call("matmul");
  check(nrd_call_set_pointer(launch, 0, a));
  check(nrd_call_set_pointer(launch, 1, b));
  check(nrd_call_set_pointer(launch, 2, ours));
  for (uint32_t slot : {3, 4, 5, 6, 8, 10})
    check(nrd_call_set_int(launch, slot, size));
  compare(
      name, "GFLOP/s", 2.0 * size * count / 1e9, 0.75,
      [&] { check(nrd_call_launch(launch, nullptr)); },
      [&] {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, size, size, size,
                    1, a, size, b, size, 0, theirs, size);
      });
  for (size_t i = 0; i < count; i += 997)
    expectClose("matmul", ours[i], theirs[i], 1e-2);
  nrd_call_destroy(launch);
}

void Bench::attention() {
  if (!wanted("attention"))
    return;
  constexpr int heads = 2, seq = 2048, width = 64, blockM = 64;
  constexpr float scale = 0.125f;
  size_t count = static_cast<size_t>(heads) * seq * width;
  Array q(count), k(count), v(count), ours(count, false), theirs(count, false),
      lse(static_cast<size_t>(heads) * seq, false);
  nrd_call_t *launch = call("attention_fwd");
  float *pointers[] = {q, k, v, ours, lse};
  for (uint32_t slot = 0; slot < 5; ++slot)
    check(nrd_call_set_pointer(launch, slot, pointers[slot]));
  check(nrd_call_set_float(launch, 5, scale));
  check(nrd_call_set_int(launch, 6, seq));
  check(nrd_call_set_grid(launch, seq / blockM, heads, 1));
  compare(
      "attention 2048 x 64 fp32", "GFLOP/s", 4.0 * seq * count / 1e9, 2.0,
      [&] { check(nrd_call_launch(launch, nullptr)); },
      [&] {
        peer_attention(q, k, v, theirs, scale, heads, seq, width, threads);
      });
  for (size_t i = 0; i < count; i += 97)
    expectClose("attention", ours[i], theirs[i], 1e-4);
  nrd_call_destroy(launch);
}

void Bench::writeJson() const {
  if (options.json.empty())
    return;
  std::FILE *file = std::fopen(options.json.c_str(), "w");
  if (!file)
    fail("cannot write " + options.json);
  std::fputs("[\n", file);
  for (size_t i = 0; i < rows.size(); ++i)
    std::fprintf(file,
                 "  {\"name\": \"%s\", \"ours\": %.4g, \"peer\": %.4g, "
                 "\"unit\": \"%s\", \"ratio\": %.4f, \"bar\": %.2f}%s\n",
                 rows[i].name.c_str(), rows[i].ours, rows[i].peer,
                 rows[i].unit.c_str(), rows[i].ours / rows[i].peer, rows[i].bar,
                 i + 1 < rows.size() ? "," : "");
  std::fputs("]\n", file);
  if (std::fclose(file) != 0)
    fail("cannot write " + options.json);
}

} // namespace

int main(int argc, char **argv) {
  // OpenBLAS reads this when it is loaded: start again without it.
  if (std::getenv("OPENBLAS_CORETYPE")) {
    unsetenv("OPENBLAS_CORETYPE");
    execv("/proc/self/exe", argv);
    fail("cannot start again without OPENBLAS_CORETYPE");
  }
  Options options;
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    bool takesValue = argument == "--json" || argument == "--device" ||
                      argument == "--rounds" || argument == "--only";
    if (takesValue && i + 1 == argc)
      fail(argument + " needs a value");
    if (argument == "--json")
      options.json = argv[++i];
    else if (argument == "--device")
      options.device = argv[++i];
    else if (argument == "--only")
      options.only = argv[++i];
    else if (argument == "--rounds")
      options.rounds = std::max(1, std::atoi(argv[++i]));
    else if (options.pack.empty() && argument[0] != '-')
      options.pack = argument;
    else
      fail("unknown argument '" + argument + "'");
  }
  if (options.pack.empty())
    fail("usage: cpu_compare PACK [--json FILE] [--device NAME] [--rounds N] "
         "[--only TEXT]");

  Bench bench(options);
  for (int threads : {1, 2}) {
    bench.setThreads(threads);
    bench.softmax();
    bench.layerNorm();
    bench.matmul(1024);
    bench.matmul(2048);
    bench.attention();
  }
  bench.writeJson();
  return 0;
}
