// cxx_service - a service that answers requests from many threads, with its
// kernels inside the executable.
//
//   cxx_service [threads [requests]]
//
// Each worker owns one bound call and re-points it for every request: only the
// arguments that change are patched, nothing is looked up, loaded or allocated.
// Every answer is compared with a double-precision reference.

#include "ranker.h" // generated from pack.toml: the kernels as functions

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

namespace {

constexpr int kInputs = 200, kOutputs = 100, kLargestBatch = 75;

// The model's weights, shared by all workers and never written.
struct Model {
  std::vector<float> weights, bias;
  nereid::Buffer weightsOnDevice, biasOnDevice;

  explicit Model(const nereid::Device &device)
      : weights(kInputs * kOutputs), bias(kOutputs),
        weightsOnDevice(device.alloc(weights.size() * sizeof(float)).value()),
        biasOnDevice(device.alloc(bias.size() * sizeof(float)).value()) {
    std::mt19937 random(1);
    std::uniform_real_distribution<float> spread(-0.1f, 0.1f);
    for (float &w : weights)
      w = spread(random);
    for (float &b : bias)
      b = spread(random);
    weightsOnDevice.write(weights.data(), weights.size() * sizeof(float))
        .check();
    biasOnDevice.write(bias.data(), bias.size() * sizeof(float)).check();
  }
};

double gelu(double x) {
  double inner = 0.7978845608028654 * (x + 0.044715 * x * x * x);
  return x / (1 + std::exp(-2 * inner));
}

// How many elements of an answer differ from the reference by more than
// rounding in single precision explains: one unit per term of the sum, passed
// on by a function whose slope is at most 1.13, and a few for the function.
int countWrong(const Model &model, const std::vector<float> &x,
               const std::vector<float> &y, int batch) {
  const double unit = std::ldexp(1.0, -24);
  int wrong = 0;
  for (int row = 0; row < batch; ++row)
    for (int col = 0; col < kOutputs; ++col) {
      double sum = model.bias[col], magnitude = std::fabs(model.bias[col]);
      for (int k = 0; k < kInputs; ++k) {
        double term = static_cast<double>(x[row * kInputs + k]) *
                      model.weights[k * kOutputs + col];
        sum += term, magnitude += std::fabs(term);
      }
      double exact = gelu(sum);
      double bound = (kInputs + 2) * unit * magnitude * 1.13 +
                     32 * unit * std::fabs(exact) * (1 + sum * sum);
      double ours = y[row * kOutputs + col];
      if (!(std::fabs(ours - exact) <= bound))
        ++wrong;
    }
  return wrong;
}

struct Totals {
  std::atomic<long> answers{0}, rows{0}, wrong{0};
};

void serve(const nereid::Device &device, const ranker::Kernels &kernels,
           const Model &model, unsigned seed, int requests, Totals &totals) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> spread(-1, 1);
  std::uniform_int_distribution<int> size(1, kLargestBatch);
  std::vector<float> x(kLargestBatch * kInputs), y(kLargestBatch * kOutputs);
  nereid::Buffer in = device.alloc(x.size() * sizeof(float)).value();
  nereid::Buffer out = device.alloc(y.size() * sizeof(float)).value();

  nereid::Call call = kernels
                          .dense_bind(in.data(), model.weightsOnDevice.data(),
                                      model.biasOnDevice.data(), out.data(),
                                      kLargestBatch, kInputs, kOutputs)
                          .value();
  for (int request = 0; request < requests; ++request) {
    int batch = size(random);
    for (int i = 0; i < batch * kInputs; ++i)
      x[i] = spread(random);
    std::fill(y.begin(), y.end(), std::nanf(""));

    in.write(x.data(), batch * kInputs * sizeof(float)).check();
    nereid::Status(ranker_dense_set_batch(call.get(), batch)).check();
    call.launch().check();
    out.read(y.data(), batch * kOutputs * sizeof(float)).check();

    totals.answers += 1;
    totals.rows += batch;
    totals.wrong += countWrong(model, x, y, batch);
  }
}

} // namespace

int main(int argc, char **argv) {
  int threads = argc > 1 ? std::max(1, std::atoi(argv[1])) : 8;
  int requests = argc > 2 ? std::max(1, std::atoi(argv[2])) : 50;
  try {
    // The service brings its own threads: one for each launch is enough.
    nrd_device_options_t options = NRD_DEVICE_OPTIONS_INIT;
    options.threads = 1;
    nereid::Device device = nereid::Device::open("auto", options).value();
    ranker::Kernels kernels = ranker::Kernels::open(device).value();
    std::printf("device %s: %s\n", device.name(), device.description());

    Model model(device);
    Totals totals;
    auto begin = std::chrono::steady_clock::now();
    std::vector<std::thread> workers;
    for (int i = 0; i < threads; ++i)
      workers.emplace_back([&, i] {
        try {
          serve(device, kernels, model, 100u + static_cast<unsigned>(i),
                requests, totals);
        } catch (const nereid::Error &error) {
          std::fprintf(stderr, "worker %d: %s\n", i, error.what());
          totals.wrong += 1;
        }
      });
    for (std::thread &worker : workers)
      worker.join();
    std::chrono::duration<double> time =
        std::chrono::steady_clock::now() - begin;

    std::printf("%d threads answered %ld requests (%ld rows) in %.2f s, "
                "checking included; %ld wrong results\n",
                threads, totals.answers.load(), totals.rows.load(),
                time.count(), totals.wrong.load());
    bool complete = totals.answers == static_cast<long>(threads) * requests;
    return totals.wrong == 0 && complete ? 0 : 1;
  } catch (const nereid::Error &error) {
    std::fprintf(stderr, "%s: %s\n", nrd_status_name(error.code()),
                 error.what());
    return 1;
  }
}
